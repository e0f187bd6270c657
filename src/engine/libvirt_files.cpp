#include "engine/libvirt_files.h"

#include "base/error.h"
#include "base/text.h"
#include "base/uuid.h"
#include "model/domain.h"
#include "os/file.h"
#include "store/store.h"
#include "xml/document.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <unistd.h>

namespace domsnap::engine {

namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

std::string user_configuration() {
    const auto base = environment("XDG_CONFIG_HOME");
    return base.empty() ? environment("HOME") + "/.config" : base;
}

/// A process of that pid whose name or command line has the word: pids are used again.
bool is_process(int pid, const char* file, const std::string& word) {
    try {
        return os::read_file_start(fmt::format("/proc/{}/{}", pid, file), 1 << 20).find(word) !=
               std::string::npos;
    } catch (const Error&) {
        return false; // there is none
    }
}

std::optional<int> pid_in(const std::string& path) {
    if (!os::exists(path)) return std::nullopt;
    const auto pid = text::to_u64(text::trim(os::read_file_start(path, 32)));
    if (!pid || *pid == 0 || *pid > 1 << 22) return std::nullopt;
    return static_cast<int>(*pid);
}

} // namespace

LibvirtFiles::LibvirtFiles(const std::string& from) {
    const auto root = from.empty() || from == "/" ? "" : os::absolute_path(from);
    const bool session = from.empty() ? geteuid() != 0 : !os::exists(root + "/etc/libvirt/qemu");
    if (session) {
        definitions_ = (from.empty() ? user_configuration() : root + "/.config") + "/libvirt/qemu";
        state_ = definitions_ + "/lib";
        tpms_ = definitions_ + "/swtpm";
        const auto run = environment("XDG_RUNTIME_DIR");
        run_ = (run.empty() ? root + environment("HOME") + "/.cache" : run) + "/libvirt/qemu/run";
    } else {
        definitions_ = root + "/etc/libvirt/qemu";
        state_ = root + "/var/lib/libvirt/qemu";
        tpms_ = root + "/var/lib/libvirt/swtpm";
        run_ = root + "/run/libvirt/qemu";
    }
    if (os::exists(definitions_)) return;
    throw Error(ErrorCode::not_found, fmt::format("libvirt keeps no domains in {}", definitions_),
                "--from names the folder that stands for /, or the home of who runs qemu:///session");
}

std::string LibvirtFiles::definition_path(const std::string& domain) const {
    model::check_domain_name(domain); // it becomes a path
    return definitions_ + "/" + domain + ".xml";
}

std::vector<std::string> LibvirtFiles::domain_names() const {
    std::vector<std::string> names;
    for (const auto& entry : os::list_folder(definitions_))
        if (entry.size() > 4 && entry.ends_with(".xml")) names.push_back(entry.substr(0, entry.size() - 4));
    std::sort(names.begin(), names.end(), text::name_less);
    return names;
}

std::string LibvirtFiles::resolve(const std::string& given) const {
    const auto names = domain_names();
    if (std::find(names.begin(), names.end(), given) != names.end()) return given;
    if (const auto uuid = canonical_uuid(given))
        for (const auto& name : names)
            if (const auto root = xml::parse(definition(name), name);
                canonical_uuid(root.text_at("uuid")) == uuid)
                return name;
    throw Error(ErrorCode::not_found,
                fmt::format("libvirt has no domain '{}' in {}", text::printable(given), definitions_),
                "virsh list --all shows libvirt's domains; --from says where else they are");
}

std::string LibvirtFiles::read(const std::string& path) { return os::read_file(path, store::max_document); }

std::string LibvirtFiles::definition(const std::string& domain) const {
    return read(definition_path(domain));
}

std::vector<std::string> LibvirtFiles::snapshot_paths(const std::string& domain) const {
    model::check_domain_name(domain);
    const auto folder = state_ + "/snapshot/" + domain;
    std::vector<std::string> paths;
    for (const auto& entry : os::list_folder(folder))
        if (entry.size() > 4 && entry.ends_with(".xml")) paths.push_back(folder + "/" + entry);
    return paths;
}

std::optional<int> LibvirtFiles::running(const std::string& domain, const std::string& uuid) const {
    const auto pid = pid_in(run_ + "/" + domain + ".pid");
    return pid && is_process(*pid, "cmdline", uuid) ? pid : std::nullopt;
}

std::optional<std::pair<int, std::string>> LibvirtFiles::daemon() const {
    if (const auto pid = pid_in(run_ + "/driver.pid"))
        for (const char* name : {"libvirtd", "virtqemud"})
            if (is_process(*pid, "comm", name)) return std::pair{*pid, std::string(name)};
    return std::nullopt;
}

std::string LibvirtFiles::save_path(const std::string& domain) const {
    return state_ + "/save/" + domain + ".save";
}

std::string LibvirtFiles::managed_save(const std::string& domain) const {
    const auto path = save_path(domain);
    return os::exists(path) ? path : "";
}

std::string LibvirtFiles::tpm_state(const std::string& uuid) const {
    const auto path = fmt::format("{}/{}/tpm2/tpm2-00.permall", tpms_, uuid);
    return canonical_uuid(uuid) && os::exists(path) ? path : "";
}

bool LibvirtFiles::has_checkpoints(const std::string& domain) const {
    return !os::list_folder(state_ + "/checkpoint/" + domain).empty();
}

std::vector<std::string> LibvirtFiles::traces(const std::string& domain) const {
    std::vector<std::string> found;
    for (const auto& path :
         {definition_path(domain), definitions_ + "/autostart/" + domain + ".xml",
          state_ + "/snapshot/" + domain, state_ + "/checkpoint/" + domain, save_path(domain)})
        if (os::file_info(path, false)) found.push_back(path);
    return found;
}

} // namespace domsnap::engine
