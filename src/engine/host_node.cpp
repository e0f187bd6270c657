// Host: the machine that the domains run on, its QEMU, and the sizes of disks.
#include "base/error.h"
#include "base/text.h"
#include "base/uuid.h"
#include "engine/guest.h"
#include "engine/session.h"
#include "image/qemu_img.h"
#include "machine/process.h"
#include "os/file.h"
#include "os/host_memory.h"

#include <algorithm>
#include <domsnap/host.h>
#include <fmt/format.h>
#include <set>
#include <sys/utsname.h>
#include <unistd.h>

namespace domsnap {

using namespace engine;

namespace {

std::string content_of(const std::string& path) {
    try {
        return os::read_file_start(path, 1 << 20);
    } catch (const Error&) {
        return {}; // not there in every container
    }
}

unsigned number_at(const std::string& path, unsigned otherwise) {
    return static_cast<unsigned>(text::to_u64(text::trim(content_of(path))).value_or(otherwise));
}

/// Sockets, cores of a socket and threads of a core, where they are the same everywhere; else flat, as
/// libvirt does.
void look_at_topology(NodeInfo& node) {
    std::set<unsigned> packages;
    std::set<std::pair<unsigned, unsigned>> cores;
    for (unsigned cpu = 0; cpu < node.cpus; ++cpu) {
        const auto folder = fmt::format("/sys/devices/system/cpu/cpu{}/topology/", cpu);
        const auto package = number_at(folder + "physical_package_id", 0);
        packages.insert(package);
        cores.insert({package, number_at(folder + "core_id", cpu)});
    }
    node.sockets = static_cast<unsigned>(packages.size());
    node.cores = static_cast<unsigned>(cores.size()) / node.sockets;
    node.threads = node.cpus / std::max(1u, node.sockets * node.cores);
    if (node.sockets * node.cores * node.threads != node.cpus)
        node.sockets = 1, node.cores = node.cpus, node.threads = 1;
}

unsigned megahertz() {
    for (const auto& line : text::split(content_of("/proc/cpuinfo"), '\n'))
        if (line.starts_with("cpu MHz"))
            return static_cast<unsigned>(std::strtod(line.c_str() + line.find(':') + 1, nullptr));
    return 0;
}

} // namespace

NodeInfo Host::node() const {
    NodeInfo node;
    utsname names{};
    ::uname(&names);
    node.hostname = names.nodename;
    node.arch = names.machine;
    node.uuid = canonical_uuid(text::trim(content_of("/sys/class/dmi/id/product_uuid"))).value_or("");
    node.memory = os::host_memory("MemTotal");
    node.free_memory = os::host_memory("MemFree");
    node.cpus = static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
    node.mhz = megahertz();
    look_at_topology(node);
    return node;
}

EmulatorInfo Host::emulator() const {
    model::Domain any;
    any.arch = "x86_64";
    EmulatorInfo info;
    info.path = machine::find_emulator(any);
    info.arch = any.arch;
    const auto facts = machine::emulator_facts(info.path, cache_folder(folders_), for_start());
    info.version = facts.capabilities.version;
    info.machines = facts.machines;
    info.aliases.assign(facts.machine_aliases.begin(), facts.machine_aliases.end());
    info.kvm = ::access("/dev/kvm", R_OK | W_OK) == 0;
    return info;
}

DiskSize Host::disk_size(const std::string& name, const std::string& disk) const {
    const View view = view_of(folders_, name);
    const auto domain = view.live();
    const auto* found = domain.find_disk(disk);
    if (!found)
        throw Error(
            ErrorCode::invalid_request,
            fmt::format("invalid argument: invalid path {} not assigned to domain", text::printable(disk)),
            fmt::format("domsnap domblklist {} shows its disks", view.name()));
    if (found->empty())
        throw Error(ErrorCode::conflict,
                    fmt::format("disk '{}' does not currently have a source assigned", found->target));
    const auto image = image::info(found->source, found->format);
    const auto file = os::file_info(found->source);
    return {image.virtual_size, image.actual_size, file ? file->size : image.actual_size};
}

} // namespace domsnap
