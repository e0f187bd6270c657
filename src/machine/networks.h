// What libvirt's networks are on this host: a bridge, or QEMU's own user network. domsnap keeps no networks.
#pragma once

#include "model/domain.h"
#include "os/fd.h"

#include <map>
#include <string>
#include <vector>

namespace domsnap::machine {

/// What becomes of the document: a device that was on a bridge can do more than one on QEMU's own network, so
/// that its state fits no other.
enum class Purpose { boot, memory };

/// The domain with each <interface type='network'> as it is on this host: on a bridge its <source> says which
/// (bridge=, as in libvirt's live documents), otherwise it becomes one of type 'user'. The file (it need not
/// be there) is docs/formats/store.md's "networks". Throws unsupported naming the interface, invalid_request
/// naming the file's line.
model::Domain with_networks(model::Domain domain, const std::string& file, Purpose purpose);

/// A network device for each interface that is on a bridge, in the document's order.
std::vector<os::Fd> plug_in(const model::Domain& domain);

} // namespace domsnap::machine
