// What excludes what, as a table in libvirt's words.
#include "base/error.h"
#include "plan/planner.h"

#include <fmt/format.h>
#include <initializer_list>

namespace domsnap::plan {

namespace {

struct Flag {
    const char* name;
    bool set;
};
struct Pair {
    Flag a, b;
};

void refuse_both(std::initializer_list<Pair> pairs) {
    for (const auto& [a, b] : pairs)
        if (a.set && b.set)
            throw Error(ErrorCode::invalid_request,
                        fmt::format("Flags '{}' and '{}' are mutually exclusive", a.name, b.name));
}

} // namespace

void check_flags(const CreateOptions& o, const model::Snapshot& request, bool online) {
    const Flag redefine{"VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE", o.redefine},
        live{"VIR_DOMAIN_SNAPSHOT_CREATE_LIVE", o.live};
    refuse_both({{redefine, {"VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA", o.no_metadata}},
                 {live, redefine},
                 {redefine, {"VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE", o.quiesce}},
                 {redefine, {"VIR_DOMAIN_SNAPSHOT_CREATE_HALT", o.halt}}});
    if (o.current && !o.redefine)
        throw Error(ErrorCode::invalid_request, "Flag 'VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE' is required by "
                                                "flag 'VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT'");
    if (!o.wait)
        throw Error(
            ErrorCode::unsupported, "--no-wait is not built yet",
            "the guest runs on all the same while its memory is written; run the command in the background");
    if (o.no_metadata && o.halt && !online)
        throw Error(ErrorCode::invalid_request, "--halt has no meaning for a domain that is not running");
    (void)request;
}

void check_flags(const RevertOptions& o) {
    refuse_both({{{"VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING", o.running},
                  {"VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED", o.paused}}});
}

void check_flags(const DeleteOptions& o) {
    refuse_both({{{"VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN", o.children},
                  {"VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY", o.children_only}}});
}

} // namespace domsnap::plan
