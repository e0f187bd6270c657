// The engine's events in libvirt's numbers, on their way to whoever listens.
#pragma once

#include "rpc/service.h"

#include <domsnap/watch.h>

namespace domsnap::rpc {

void publish(Subscribers& subscribers, const DomainEvent& event);

} // namespace domsnap::rpc
