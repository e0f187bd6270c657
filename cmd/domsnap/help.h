// Help as virsh words it, from the verbs' tables.
#pragma once

#include "verb.h"

#include <string>

namespace domsnap::cli {

std::string help_overview();
std::string help_of(const Verb& verb);

} // namespace domsnap::cli
