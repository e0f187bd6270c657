#include "rpc/names.h"

#include "base/text.h"

#include <algorithm>
#include <cctype>
#include <iterator>

namespace domsnap::rpc {

// By number, from 1: what clients of libvirt 9.0 can ask for. Numbers are never given anew; later ones are
// unknown here, and clients live with that.
static constexpr std::string_view names[] = {
    // clang-format off
    "connect_open", "connect_close", "connect_get_type", "connect_get_version", "connect_get_max_vcpus",
    "node_get_info", "connect_get_capabilities", "domain_attach_device", "domain_create",
    "domain_create_xml", "domain_define_xml", "domain_destroy", "domain_detach_device",
    "domain_get_xml_desc", "domain_get_autostart", "domain_get_info", "domain_get_max_memory",
    "domain_get_max_vcpus", "domain_get_os_type", "domain_get_vcpus", "connect_list_defined_domains",
    "domain_lookup_by_id", "domain_lookup_by_name", "domain_lookup_by_uuid",
    "connect_num_of_defined_domains", "domain_pin_vcpu", "domain_reboot", "domain_resume",
    "domain_set_autostart", "domain_set_max_memory", "domain_set_memory", "domain_set_vcpus",
    "domain_shutdown", "domain_suspend", "domain_undefine", "connect_list_defined_networks",
    "connect_list_domains", "connect_list_networks", "network_create", "network_create_xml",
    "network_define_xml", "network_destroy", "network_get_xml_desc", "network_get_autostart",
    "network_get_bridge_name", "network_lookup_by_name", "network_lookup_by_uuid", "network_set_autostart",
    "network_undefine", "connect_num_of_defined_networks", "connect_num_of_domains",
    "connect_num_of_networks", "domain_core_dump", "domain_restore", "domain_save",
    "domain_get_scheduler_type", "domain_get_scheduler_parameters", "domain_set_scheduler_parameters",
    "connect_get_hostname", "connect_supports_feature", "domain_migrate_prepare", "domain_migrate_perform",
    "domain_migrate_finish", "domain_block_stats", "domain_interface_stats", "auth_list", "auth_sasl_init",
    "auth_sasl_start", "auth_sasl_step", "auth_polkit", "connect_num_of_storage_pools",
    "connect_list_storage_pools", "connect_num_of_defined_storage_pools",
    "connect_list_defined_storage_pools", "connect_find_storage_pool_sources", "storage_pool_create_xml",
    "storage_pool_define_xml", "storage_pool_create", "storage_pool_build", "storage_pool_destroy",
    "storage_pool_delete", "storage_pool_undefine", "storage_pool_refresh", "storage_pool_lookup_by_name",
    "storage_pool_lookup_by_uuid", "storage_pool_lookup_by_volume", "storage_pool_get_info",
    "storage_pool_get_xml_desc", "storage_pool_get_autostart", "storage_pool_set_autostart",
    "storage_pool_num_of_volumes", "storage_pool_list_volumes", "storage_vol_create_xml",
    "storage_vol_delete", "storage_vol_lookup_by_name", "storage_vol_lookup_by_key",
    "storage_vol_lookup_by_path", "storage_vol_get_info", "storage_vol_get_xml_desc",
    "storage_vol_get_path", "node_get_cells_free_memory", "node_get_free_memory", "domain_block_peek",
    "domain_memory_peek", "connect_domain_event_register", "connect_domain_event_deregister",
    "domain_event_lifecycle", "domain_migrate_prepare2", "domain_migrate_finish2", "connect_get_uri",
    "node_num_of_devices", "node_list_devices", "node_device_lookup_by_name", "node_device_get_xml_desc",
    "node_device_get_parent", "node_device_num_of_caps", "node_device_list_caps", "node_device_dettach",
    "node_device_re_attach", "node_device_reset", "domain_get_security_label", "node_get_security_model",
    "node_device_create_xml", "node_device_destroy", "storage_vol_create_xml_from",
    "connect_num_of_interfaces", "connect_list_interfaces", "interface_lookup_by_name",
    "interface_lookup_by_mac_string", "interface_get_xml_desc", "interface_define_xml",
    "interface_undefine", "interface_create", "interface_destroy", "connect_domain_xml_from_native",
    "connect_domain_xml_to_native", "connect_num_of_defined_interfaces", "connect_list_defined_interfaces",
    "connect_num_of_secrets", "connect_list_secrets", "secret_lookup_by_uuid", "secret_define_xml",
    "secret_get_xml_desc", "secret_set_value", "secret_get_value", "secret_undefine",
    "secret_lookup_by_usage", "domain_migrate_prepare_tunnel", "connect_is_secure", "domain_is_active",
    "domain_is_persistent", "network_is_active", "network_is_persistent", "storage_pool_is_active",
    "storage_pool_is_persistent", "interface_is_active", "connect_get_lib_version", "connect_compare_cpu",
    "domain_memory_stats", "domain_attach_device_flags", "domain_detach_device_flags",
    "connect_baseline_cpu", "domain_get_job_info", "domain_abort_job", "storage_vol_wipe",
    "domain_migrate_set_max_downtime", "connect_domain_event_register_any",
    "connect_domain_event_deregister_any", "domain_event_reboot", "domain_event_rtc_change",
    "domain_event_watchdog", "domain_event_io_error", "domain_event_graphics", "domain_update_device_flags",
    "nwfilter_lookup_by_name", "nwfilter_lookup_by_uuid", "nwfilter_get_xml_desc",
    "connect_num_of_nwfilters", "connect_list_nwfilters", "nwfilter_define_xml", "nwfilter_undefine",
    "domain_managed_save", "domain_has_managed_save_image", "domain_managed_save_remove",
    "domain_snapshot_create_xml", "domain_snapshot_get_xml_desc", "domain_snapshot_num",
    "domain_snapshot_list_names", "domain_snapshot_lookup_by_name", "domain_has_current_snapshot",
    "domain_snapshot_current", "domain_revert_to_snapshot", "domain_snapshot_delete",
    "domain_get_block_info", "domain_event_io_error_reason", "domain_create_with_flags",
    "domain_set_memory_parameters", "domain_get_memory_parameters", "domain_set_vcpus_flags",
    "domain_get_vcpus_flags", "domain_open_console", "domain_is_updated", "connect_get_sysinfo",
    "domain_set_memory_flags", "domain_set_blkio_parameters", "domain_get_blkio_parameters",
    "domain_migrate_set_max_speed", "storage_vol_upload", "storage_vol_download", "domain_inject_nmi",
    "domain_screenshot", "domain_get_state", "domain_migrate_begin3", "domain_migrate_prepare3",
    "domain_migrate_prepare_tunnel3", "domain_migrate_perform3", "domain_migrate_finish3",
    "domain_migrate_confirm3", "domain_set_scheduler_parameters_flags", "interface_change_begin",
    "interface_change_commit", "interface_change_rollback", "domain_get_scheduler_parameters_flags",
    "domain_event_control_error", "domain_pin_vcpu_flags", "domain_send_key", "node_get_cpu_stats",
    "node_get_memory_stats", "domain_get_control_info", "domain_get_vcpu_pin_info", "domain_undefine_flags",
    "domain_save_flags", "domain_restore_flags", "domain_destroy_flags", "domain_save_image_get_xml_desc",
    "domain_save_image_define_xml", "domain_block_job_abort", "domain_get_block_job_info",
    "domain_block_job_set_speed", "domain_block_pull", "domain_event_block_job",
    "domain_migrate_get_max_speed", "domain_block_stats_flags", "domain_snapshot_get_parent",
    "domain_reset", "domain_snapshot_num_children", "domain_snapshot_list_children_names",
    "domain_event_disk_change", "domain_open_graphics", "node_suspend_for_duration", "domain_block_resize",
    "domain_set_block_io_tune", "domain_get_block_io_tune", "domain_set_numa_parameters",
    "domain_get_numa_parameters", "domain_set_interface_parameters", "domain_get_interface_parameters",
    "domain_shutdown_flags", "storage_vol_wipe_pattern", "storage_vol_resize",
    "domain_pm_suspend_for_duration", "domain_get_cpu_stats", "domain_get_disk_errors",
    "domain_set_metadata", "domain_get_metadata", "domain_block_rebase", "domain_pm_wakeup",
    "domain_event_tray_change", "domain_event_pmwakeup", "domain_event_pmsuspend",
    "domain_snapshot_is_current", "domain_snapshot_has_metadata", "connect_list_all_domains",
    "domain_list_all_snapshots", "domain_snapshot_list_all_children", "domain_event_balloon_change",
    "domain_get_hostname", "domain_get_security_label_list", "domain_pin_emulator",
    "domain_get_emulator_pin_info", "connect_list_all_storage_pools", "storage_pool_list_all_volumes",
    "connect_list_all_networks", "connect_list_all_interfaces", "connect_list_all_node_devices",
    "connect_list_all_nwfilters", "connect_list_all_secrets", "node_set_memory_parameters",
    "node_get_memory_parameters", "domain_block_commit", "network_update", "domain_event_pmsuspend_disk",
    "node_get_cpu_map", "domain_fstrim", "domain_send_process_signal", "domain_open_channel",
    "node_device_lookup_scsi_host_by_wwn", "domain_get_job_stats", "domain_migrate_get_compression_cache",
    "domain_migrate_set_compression_cache", "node_device_detach_flags", "domain_migrate_begin3_params",
    "domain_migrate_prepare3_params", "domain_migrate_prepare_tunnel3_params",
    "domain_migrate_perform3_params", "domain_migrate_finish3_params", "domain_migrate_confirm3_params",
    "domain_set_memory_stats_period", "domain_create_xml_with_files", "domain_create_with_files",
    "domain_event_device_removed", "connect_get_cpu_model_names", "connect_network_event_register_any",
    "connect_network_event_deregister_any", "network_event_lifecycle",
    "connect_domain_event_callback_register_any", "connect_domain_event_callback_deregister_any",
    "domain_event_callback_lifecycle", "domain_event_callback_reboot", "domain_event_callback_rtc_change",
    "domain_event_callback_watchdog", "domain_event_callback_io_error", "domain_event_callback_graphics",
    "domain_event_callback_io_error_reason", "domain_event_callback_control_error",
    "domain_event_callback_block_job", "domain_event_callback_disk_change",
    "domain_event_callback_tray_change", "domain_event_callback_pmwakeup",
    "domain_event_callback_pmsuspend", "domain_event_callback_balloon_change",
    "domain_event_callback_pmsuspend_disk", "domain_event_callback_device_removed",
    "domain_core_dump_with_format", "domain_fsfreeze", "domain_fsthaw", "domain_get_time",
    "domain_set_time", "domain_event_block_job_2", "node_get_free_pages", "network_get_dhcp_leases",
    "connect_get_domain_capabilities", "domain_open_graphics_fd", "connect_get_all_domain_stats",
    "domain_block_copy", "domain_event_callback_tunable", "node_alloc_pages",
    "domain_event_callback_agent_lifecycle", "domain_get_fsinfo", "domain_define_xml_flags",
    "domain_get_iothread_info", "domain_pin_iothread", "domain_interface_addresses",
    "domain_event_callback_device_added", "domain_add_iothread", "domain_del_iothread",
    "domain_set_user_password", "domain_rename", "domain_event_callback_migration_iteration",
    "connect_register_close_callback", "connect_unregister_close_callback",
    "connect_event_connection_closed", "domain_event_callback_job_completed",
    "domain_migrate_start_post_copy", "domain_get_perf_events", "domain_set_perf_events",
    "domain_event_callback_device_removal_failed", "connect_storage_pool_event_register_any",
    "connect_storage_pool_event_deregister_any", "storage_pool_event_lifecycle", "domain_get_guest_vcpus",
    "domain_set_guest_vcpus", "storage_pool_event_refresh", "connect_node_device_event_register_any",
    "connect_node_device_event_deregister_any", "node_device_event_lifecycle", "node_device_event_update",
    "storage_vol_get_info_flags", "domain_event_callback_metadata_change",
    "connect_secret_event_register_any", "connect_secret_event_deregister_any", "secret_event_lifecycle",
    "secret_event_value_changed", "domain_set_vcpu", "domain_event_block_threshold",
    "domain_set_block_threshold", "domain_migrate_get_max_downtime", "domain_managed_save_get_xml_desc",
    "domain_managed_save_define_xml", "domain_set_lifecycle_action", "storage_pool_lookup_by_target_path",
    "domain_detach_device_alias", "connect_compare_hypervisor_cpu", "connect_baseline_hypervisor_cpu",
    "node_get_sev_info", "domain_get_launch_security_info", "nwfilter_binding_lookup_by_port_dev",
    "nwfilter_binding_get_xml_desc", "nwfilter_binding_create_xml", "nwfilter_binding_delete",
    "connect_list_all_nwfilter_bindings", "domain_set_iothread_params",
    "connect_get_storage_pool_capabilities", "network_list_all_ports", "network_port_lookup_by_uuid",
    "network_port_create_xml", "network_port_get_parameters", "network_port_set_parameters",
    "network_port_get_xml_desc", "network_port_delete", "domain_checkpoint_create_xml",
    "domain_checkpoint_get_xml_desc", "domain_list_all_checkpoints", "domain_checkpoint_list_all_children",
    "domain_checkpoint_lookup_by_name", "domain_checkpoint_get_parent", "domain_checkpoint_delete",
    "domain_get_guest_info", "connect_set_identity", "domain_agent_set_response_timeout",
    "domain_backup_begin", "domain_backup_get_xml_desc", "domain_event_memory_failure",
    "domain_authorized_ssh_keys_get", "domain_authorized_ssh_keys_set", "domain_get_messages",
    "domain_start_dirty_rate_calc", "node_device_define_xml", "node_device_undefine", "node_device_create",
    "nwfilter_define_xml_flags", "network_define_xml_flags", "node_device_get_autostart",
    "node_device_set_autostart", "node_device_is_persistent", "node_device_is_active",
    "network_create_xml_flags", "domain_event_memory_device_size_change",
    "domain_set_launch_security_state", "domain_save_params", "domain_restore_params",
    "domain_abort_job_flags", "domain_fd_associate",
    // clang-format on
};

std::string_view procedure_name(int32_t number) {
    if (number < 1 || static_cast<size_t>(number) > std::size(names)) return {};
    return names[number - 1];
}

int32_t procedure_number(std::string_view name) {
    const auto found = std::find(std::begin(names), std::end(names), name);
    return found == std::end(names) ? 0 : static_cast<int32_t>(found - std::begin(names)) + 1;
}

static std::string capitalized(std::string word) {
    for (const std::string_view whole : {"xml", "id", "uuid", "cpu", "uri", "os", "fs", "io", "sev", "mac"})
        if (word == whole) {
            std::transform(word.begin(), word.end(), word.begin(),
                           [](unsigned char c) { return std::toupper(c); });
            return word;
        }
    word[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(word[0])));
    return word;
}

std::string function_name(std::string_view procedure) {
    std::string name = "vir";
    for (const auto& word : text::split(procedure, '_'))
        name += capitalized(word);
    return name;
}

} // namespace domsnap::rpc
