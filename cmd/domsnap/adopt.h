// The table of the one verb that comes from libvirt: adopt.
#pragma once

#include "verb.h"

namespace domsnap::cli {

std::vector<Verb> adopt_verbs();

} // namespace domsnap::cli
