// Migration: how guest memory is taken from QEMU and given to it.
#include "qmp/commands.h"

#include "base/error.h"
#include "os/file.h"
#include "os/socket.h"
#include "qmp/answer.h"

#include <algorithm>
#include <limits>
#include <map>

namespace domsnap::qmp {

namespace {

/// The changes that leave exactly the named ones on.
Json capability_changes(const Json& present, const std::vector<std::string>& enabled) {
    std::map<std::string, bool>
        wanted; // a capability that QEMU does not know is asked for too: it refuses by name
    for (const auto& name : enabled)
        wanted[name] = true;
    // Only what changes is sent: QEMU checks, and logs what is deprecated about, whatever it is sent.
    for (const Json& capability : present) {
        const std::string name = capability.at("capability");
        const bool on = wanted.contains(name);
        if (capability.at("state") == on)
            wanted.erase(name);
        else
            wanted[name] = on;
    }
    Json changes = Json::array();
    for (const auto& [name, on] : wanted)
        changes.push_back({{"capability", name}, {"state", on}});
    return changes;
}

} // namespace

void set_migration_capabilities(Client& qemu, const std::vector<std::string>& enabled, Deadline d) {
    const Json present = qemu.run("query-migrate-capabilities", d);
    const Json changes =
        read_answer("query-migrate-capabilities", [&] { return capability_changes(present, enabled); });
    if (!changes.empty()) qemu.run("migrate-set-capabilities", {{"capabilities", changes}}, d);
}

void give_fd(Client& qemu, const std::string& name, int fd, Deadline d) {
    qemu.run("getfd", {{"fdname", name}}, d, fd);
}

void migrate_to_fd(Client& qemu, const std::string& fd_name, Deadline d) {
    qemu.run("migrate", {{"uri", "fd:" + fd_name}}, d);
}

void migrate_incoming_fd(Client& qemu, const std::string& fd_name, Deadline d) {
    qemu.run("migrate-incoming", {{"uri", "fd:" + fd_name}}, d);
}

os::Fd recover_incoming(Client& qemu, const std::string& path, const std::string& uri_path, Deadline d) {
    try {
        os::remove_file_durably(path);
        qemu.run_out_of_band("migrate-recover", {{"uri", "unix:" + uri_path}}, d);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::refused_by_qemu || !os::exists(path)) throw;
    }
    auto socket = os::connect_unix(path, d);
    os::remove_file_durably(path);
    return socket;
}

void set_migration_bandwidth_unlimited(Client& qemu, Deadline d) {
    // 0 means unlimited only since QEMU 8; the largest number means it everywhere.
    qemu.run("migrate-set-parameters", {{"max-bandwidth", std::numeric_limits<int64_t>::max()}}, d);
}

Migration query_migrate(Client& qemu, Deadline d) {
    const Json info = qemu.run("query-migrate", d);
    return read_answer("query-migrate", [&] {
        const Json ram = info.value("ram", Json::object());
        return Migration{info.value("status", std::string()),
                         info.value("error-desc", std::string()),
                         ram.value("transferred", uint64_t{0}),
                         ram.value("total", uint64_t{0}),
                         ram.value("remaining", uint64_t{0}),
                         ram.value("normal", uint64_t{0}) + ram.value("duplicate", uint64_t{0})};
    });
}

std::vector<std::string> migration_blockers(Client& qemu, Deadline d) {
    const Json info = qemu.run("query-migrate", d);
    return read_answer("query-migrate",
                       [&] { return info.value("blocked-reasons", std::vector<std::string>()); });
}

void save_device_state(Client& qemu, const std::string& path, Deadline d) {
    // live: else QEMU gives its images away, as for a guest that moves to another host (savevm.c, 7.2).
    qemu.run("xen-save-devices-state", {{"filename", path}, {"live", false}}, d);
}

void migrate_cancel(Client& qemu, Deadline d) { qemu.run("migrate_cancel", d); }

} // namespace domsnap::qmp
