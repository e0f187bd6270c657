// What excludes what, and what needs what, among the options of create, revert and delete: one table. The
// tests hold every pair of options against it.
#pragma once

#include <domsnap/host.h>
#include <string>
#include <vector>

namespace domsnap::plan {

/// An option by its name on the command line, and by libvirt's name of its flag ("" where libvirt has none).
template <class Options>
struct OptionName {
    const char* name;
    const char* flag;
    bool Options::*member;
};
const std::vector<OptionName<CreateOptions>>& create_option_names();
const std::vector<OptionName<RevertOptions>>& revert_option_names();
const std::vector<OptionName<DeleteOptions>>& delete_option_names();

enum class Relation { excludes, needs };
/// Two options of one verb, by their names on the command line.
struct Exclusion {
    const char* verb;
    const char* a;
    Relation relation;
    const char* b;
};
const std::vector<Exclusion>& exclusions();

} // namespace domsnap::plan
