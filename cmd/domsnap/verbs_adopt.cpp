// Domains that come from libvirt: adopt.
#include "adopt.h"
#include "session.h"
#include "ui/adopted.h"

#include <algorithm>
#include <domsnap/adopt.h>
#include <domsnap/error.h>
#include <fmt/format.h>

namespace domsnap::cli {

static void say_what_would_be(Session& session, const std::vector<AdoptResult>& results) {
    session.print_document(session.json() ? ui::adopt_json(results) : ui::adopt_text(results));
    const auto bad =
        std::count_if(results.begin(), results.end(), [](const auto& one) { return !one.good(); });
    if (bad == 0) return;
    session.flush();
    throw Error(ErrorCode::conflict, fmt::format("{} of {} {} cannot be adopted as they are", bad,
                                                 results.size(), results.size() == 1 ? "domain" : "domains"));
}

static void adopt(Session& session, const Arguments& arguments) {
    const AdoptOptions options{
        .dry_run = arguments.has("dry-run"), .take = arguments.has("take"), .from = arguments.get("from")};
    const auto results =
        domsnap::adopt(session.host().folders(), arguments.list("domain"), options, session.control());
    if (options.dry_run) return say_what_would_be(session, results);
    if (session.json()) return session.print_document(ui::adopt_json(results));
    for (const auto& result : results) {
        if (!result.known)
            session.say(fmt::format("Domain '{}' adopted with {} snapshot{}\n", result.domain,
                                    result.snapshots.size(), result.snapshots.size() == 1 ? "" : "s"));
        for (const auto& [from, to] : result.renamed)
            session.say(fmt::format("{} is {} now\n", from, to));
    }
}

std::vector<Verb> adopt_verbs() {
    return {
        {"adopt",
         "take over domains with their snapshots from libvirt",
         "The domain as libvirt defines it, and all of its snapshots, become domsnap's: records are written, "
         "and "
         "images and memory stay where they are. All or nothing: what stands in the way is said. Nothing of "
         "libvirt's is changed without --take; libvirt must not run the domain.",
         {required_list("domain", "domain name or uuid, as libvirt knows it"),
          flag("dry-run", "say what would be taken and what cannot be, and why; change nothing"),
          flag("take", "libvirt forgets the domain: its definition and metadata get other names"),
          value("from", "folder that stands for /, or the home of who runs qemu:///session")},
         {exclusive("dry-run", "take")},
         adopt}};
}

} // namespace domsnap::cli
