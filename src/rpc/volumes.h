// What the procedures share that look at volumes, change them, and carry their bytes. The key of a volume is
// its path, as in libvirt.
#pragma once

#include "rpc/storage.h"

#include <string>

namespace domsnap::rpc {

struct VolumeRef {
    std::string pool, name, key;
    DOMSNAP_WIRE(pool, name, key)
};
struct OfVolume {
    VolumeRef volume;
    DOMSNAP_WIRE(volume)
};
struct VolumeFlags {
    VolumeRef volume;
    uint32_t flags = 0;
    DOMSNAP_WIRE(volume, flags)
};

std::string path_in(const Pool& pool, const std::string& name);
VolumeRef ref_of(const Pool& pool, const std::string& name);
/// Throws Refusal if its pool is not active, or there is no such volume.
std::string path_of(Call& call, const VolumeRef& ref);

} // namespace domsnap::rpc
