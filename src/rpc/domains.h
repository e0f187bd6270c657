// Between the host's words for a domain and libvirt's numbers.
#pragma once

#include "rpc/procedures.h"

#include <domsnap/host.h>
#include <string>

namespace domsnap::rpc {

Uuid uuid_bytes(const std::string& uuid); ///< all zero for what is no UUID
std::string uuid_text(const Uuid& uuid);

DomainRef ref_of(const DomainInfo& info);

/// What the host is asked with. Clients name a domain by all three, and the UUID is the one that stays.
inline std::string key_of(const DomainRef& domain) { return uuid_text(domain.uuid); }

/// virDomainState, and the number of its reason in that state.
struct StateNumbers {
    int32_t state = 0, reason = 0;
};
StateNumbers numbers_of(const DomainInfo& info);

/// virConnectListAllDomainsFlags: within a group any that is set, across the groups all.
bool is_wanted(const DomainInfo& info, bool has_snapshots, bool has_save, uint32_t flags);
/// Those of the host's that the flags want, in its order.
std::vector<DomainInfo> wanted_domains(const Host& host, uint32_t flags);

namespace list_flags {
inline constexpr uint32_t active = 1, inactive = 2, persistent = 4, transient = 8, running = 16, paused = 32,
                          shutoff = 64, other = 128, managed_save = 256, no_managed_save = 512,
                          autostart = 1024, no_autostart = 2048, has_snapshot = 4096, no_snapshot = 8192,
                          has_checkpoint = 16384, no_checkpoint = 32768;
inline constexpr uint32_t all = 65535;
} // namespace list_flags

[[noreturn]] void no_domain(const std::string& words);

} // namespace domsnap::rpc
