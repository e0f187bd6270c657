// The networks of libvirt's names, as STATE/networks says what they are on this host.
#pragma once

#include "engine/session.h"
#include "machine/networks.h"

namespace domsnap::engine {

model::Domain on_networks(const Folders& folders, model::Domain domain, machine::Purpose purpose);

/// Throws where the networks of the snapshot's machine are not what its memory needs: known before any guest
/// is ended.
void require_networks(const Folders& folders, const model::Snapshot& snapshot);

} // namespace domsnap::engine
