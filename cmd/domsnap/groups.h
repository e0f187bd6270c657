// The tables of verbs, one a file.
#pragma once

#include "verb.h"

namespace domsnap::cli {

std::vector<Verb> define_verbs(); ///< define, undefine, domrename, dumpxml, edit
std::vector<Verb> power_verbs();  ///< start, shutdown, destroy, …
std::vector<Verb> list_verbs();   ///< list, domstate, dominfo, domid, …
std::vector<Verb> job_verbs();    ///< domjobinfo, domjobabort
std::vector<Verb> device_verbs(); ///< console, qemu-monitor-command, screenshot, …
std::vector<Verb> create_verbs(); ///< snapshot-create, snapshot-create-as
std::vector<Verb> change_verbs(); ///< snapshot-revert, snapshot-delete, snapshot-edit, snapshot-current
std::vector<Verb> tree_verbs();   ///< snapshot-list, snapshot-info, snapshot-dumpxml, snapshot-parent
std::vector<Verb> fork_verbs();   ///< snapshot-fork
std::vector<Verb> xml_verbs();    ///< snapshot-format, validate
std::vector<Verb> warm_verbs();   ///< snapshot-warm
std::vector<Verb> own_verbs();    ///< snapshot-plan, snapshot-verify, recover, help

} // namespace domsnap::cli
