// The program "qemu": what virsh calls qemu-monitor-command.
#include "rpc/domains.h"

namespace domsnap::rpc {

static Text monitor_command(Call& call, const DomainText& a) {
    constexpr uint32_t human = 1;
    check_flags(a.flags, human, "domain_qemu_monitor_command");
    return {call.host().monitor_command(key_of(a.domain), a.text, a.flags & human)};
}

Family qemu_family() { return {writes("domain_qemu_monitor_command", monitor_command)}; }

} // namespace domsnap::rpc
