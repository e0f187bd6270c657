// The options that exclude or need each other, refused in libvirt's words.
#include "base/error.h"
#include "plan/exclusions.h"
#include "plan/planner.h"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>

namespace domsnap::plan {

const std::vector<OptionName<CreateOptions>>& create_option_names() {
    using O = CreateOptions;
    static const std::vector<OptionName<O>> names = {
        {"redefine", "VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE", &O::redefine},
        {"current", "VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT", &O::current},
        {"no-metadata", "VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA", &O::no_metadata},
        {"halt", "VIR_DOMAIN_SNAPSHOT_CREATE_HALT", &O::halt},
        {"disk-only", "VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY", &O::disk_only},
        {"reuse-external", "VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT", &O::reuse_external},
        {"quiesce", "VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE", &O::quiesce},
        {"atomic", "VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC", &O::atomic},
        {"live", "VIR_DOMAIN_SNAPSHOT_CREATE_LIVE", &O::live},
        {"validate", "VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE", &O::validate},
        {"dry-run", "", &O::dry_run},
        {"full", "", &O::full},
    };
    return names;
}

const std::vector<OptionName<RevertOptions>>& revert_option_names() {
    using O = RevertOptions;
    static const std::vector<OptionName<O>> names = {
        {"running", "VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING", &O::running},
        {"paused", "VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED", &O::paused},
        {"force", "VIR_DOMAIN_SNAPSHOT_REVERT_FORCE", &O::force},
        {"reset-nvram", "VIR_DOMAIN_SNAPSHOT_REVERT_RESET_NVRAM", &O::reset_nvram},
        {"eager", "", &O::eager},
        {"mapped", "", &O::mapped},
        {"tmpfs", "", &O::tmpfs},
        {"dry-run", "", &O::dry_run},
    };
    return names;
}

const std::vector<OptionName<DeleteOptions>>& delete_option_names() {
    using O = DeleteOptions;
    static const std::vector<OptionName<O>> names = {
        {"children", "VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN", &O::children},
        {"children-only", "VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY", &O::children_only},
        {"metadata", "VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY", &O::metadata},
        {"dry-run", "", &O::dry_run},
    };
    return names;
}

const std::vector<Exclusion>& exclusions() {
    using enum Relation;
    // A redefinition only writes a record: nothing is taken, stopped or planned. libvirt lets --halt and
    // --quiesce pass there, and does neither.
    static const std::vector<Exclusion> table = {
        {"snapshot-create", "redefine", excludes, "no-metadata"},
        {"snapshot-create", "live", excludes, "redefine"},
        {"snapshot-create", "redefine", excludes, "halt"},
        {"snapshot-create", "redefine", excludes, "quiesce"},
        {"snapshot-create", "redefine", excludes, "dry-run"},
        {"snapshot-create", "redefine", excludes, "full"},
        {"snapshot-create", "current", needs, "redefine"},
        {"snapshot-revert", "running", excludes, "paused"},
        {"snapshot-revert", "eager", excludes, "mapped"},
        {"snapshot-revert", "tmpfs", needs, "mapped"},
        {"snapshot-delete", "children", excludes, "children-only"},
    };
    return table;
}

namespace {

template <class Options>
const OptionName<Options>& named(const std::vector<OptionName<Options>>& names, std::string_view name) {
    return *std::find_if(names.begin(), names.end(), [&](const auto& option) { return option.name == name; });
}

template <class Options>
[[noreturn]] void refuse(const OptionName<Options>& a, Relation relation, const OptionName<Options>& b) {
    const bool libvirts = *a.flag && *b.flag;
    if (relation == Relation::needs)
        throw Error(ErrorCode::invalid_request,
                    libvirts ? fmt::format("Flag '{}' is required by flag '{}'", b.flag, a.flag)
                             : fmt::format("Option --{} is required by option --{}", b.name, a.name));
    throw Error(ErrorCode::invalid_request,
                libvirts ? fmt::format("Flags '{}' and '{}' are mutually exclusive", a.flag, b.flag)
                         : fmt::format("Options --{} and --{} are mutually exclusive", a.name, b.name));
}

template <class Options>
void check(std::string_view verb, const Options& options, const std::vector<OptionName<Options>>& names) {
    for (const auto& [of, a_name, relation, b_name] : exclusions()) {
        if (of != verb) continue;
        const auto &a = named(names, a_name), &b = named(names, b_name);
        if (options.*a.member && options.*b.member == (relation == Relation::excludes))
            refuse(a, relation, b);
    }
}

} // namespace

void check_flags(const CreateOptions& o) { check("snapshot-create", o, create_option_names()); }

void check_flags(const RevertOptions& o) { check("snapshot-revert", o, revert_option_names()); }

void check_flags(const DeleteOptions& o) { check("snapshot-delete", o, delete_option_names()); }

} // namespace domsnap::plan
