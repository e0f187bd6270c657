# cmake --install: headers, library, CMake package, pkg-config, the command, manual pages, schemas, completions.
# The capture process (libexec/domsnap/domsnap-memory) is installed by its own folder.
include(CMakePackageConfigHelpers)

install(TARGETS domsnap domsnap_options EXPORT domsnapTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/domsnap DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/domsnap)
install(EXPORT domsnapTargets NAMESPACE domsnap:: DESTINATION ${package_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/domsnapConfig.cmake.in
  ${PROJECT_BINARY_DIR}/domsnapConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/domsnapConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/domsnapConfig.cmake ${PROJECT_BINARY_DIR}/domsnapConfigVersion.cmake
  DESTINATION ${package_dir})
# Relative to the file itself, so that the tree may be installed under any --prefix and moved.
file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
set(pc_prefix "\${pcfiledir}/${up}")
if(BUILD_SHARED_LIBS) # a static library hands on what it was built on
  set(pc_private ".private")
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/domsnap.pc.in ${PROJECT_BINARY_DIR}/domsnap.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/domsnap.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

foreach(program domsnap-cli domsnapd)
  if(TARGET ${program} AND BUILD_SHARED_LIBS) # found beside the command wherever the tree is moved to
    set_target_properties(${program} PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  endif()
endforeach()
if(TARGET domsnap-cli)
  install(TARGETS domsnap-cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if(TARGET domsnapd)
  install(TARGETS domsnapd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
  configure_file(${PROJECT_SOURCE_DIR}/systemd/domsnapd.service.in ${PROJECT_BINARY_DIR}/domsnapd.service @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/domsnapd.service ${PROJECT_SOURCE_DIR}/systemd/domsnapd.socket
    ${PROJECT_SOURCE_DIR}/systemd/domsnapd-ro.socket DESTINATION lib/systemd/system)
  install(FILES ${PROJECT_SOURCE_DIR}/systemd/domsnap.sysusers DESTINATION lib/sysusers.d RENAME domsnap.conf)
endif()

install(DIRECTORY ${PROJECT_SOURCE_DIR}/schemas/ DESTINATION ${CMAKE_INSTALL_DATADIR}/domsnap/schemas
  FILES_MATCHING PATTERN "*.rng")
install(FILES ${PROJECT_SOURCE_DIR}/completions/domsnap.bash
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME domsnap)
install(FILES ${PROJECT_SOURCE_DIR}/completions/_domsnap DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${PROJECT_SOURCE_DIR}/completions/domsnap.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

find_program(SCDOC scdoc)
if(SCDOC)
  foreach(page domsnap.1 domsnap-domain.1 domsnap-snapshot.1 domsnap-xml.1 domsnapd.8 domsnap-snapshot-xml.5)
    set(source ${PROJECT_SOURCE_DIR}/man/${page}.scd)
    string(REGEX REPLACE ".*\\." "" section ${page})
    add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/man/${page}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/man
      COMMAND sh -c "\"$1\" < \"$2\" > \"$3\"" man ${SCDOC} ${source} ${PROJECT_BINARY_DIR}/man/${page}
      DEPENDS ${source} VERBATIM)
    list(APPEND pages ${PROJECT_BINARY_DIR}/man/${page})
    install(FILES ${PROJECT_BINARY_DIR}/man/${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
  endforeach()
  add_custom_target(man ALL DEPENDS ${pages})
else()
  message(STATUS "scdoc is not here: no manual pages")
endif()
