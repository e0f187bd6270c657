// A network device of the kernel's whose other end is a descriptor, plugged into a bridge. It goes with its
// descriptor, so that no crash leaves one behind.
#pragma once

#include "os/fd.h"

#include <string>

namespace domsnap::os {

bool has_network_device(const std::string& name);

/// Up, on that bridge, and with the offloads that libvirt's have (a vnet header), so that memory saved on one
/// of libvirt's fits. Throws unsupported naming the bridge, with the kernel's words and what to do.
Fd open_tap(const std::string& bridge);

} // namespace domsnap::os
