// Host: what domains there are.
#include "base/error.h"
#include "base/text.h"
#include "engine/firmware.h"
#include "engine/forks.h"
#include "engine/new_identity.h"
#include "machine/swtpm.h"
#include "os/file.h"
#include "plan/document.h"
#include "store/records.h"
#include "xml/document.h"
#include "xml/validate.h"

#include <cstdlib>
#include <domsnap/host.h>
#include <fmt/format.h>
#include <unistd.h>

namespace domsnap {

using namespace engine;

namespace {

void validate_domain(const std::string& xml) {
    const auto schema = xml::find_schema("domain");
    if (schema.empty())
        throw Error(ErrorCode::unsupported, "the schema for <domain> is not installed",
                    "install libvirt's schemas, or define without --validate");
    xml::require_valid(xml, "(domain_definition)", schema);
}

/// The same name and uuid may be redefined; one without the other is another domain's.
void check_identity(const Folders& folders, model::Domain& domain) {
    const store::DomainFolder folder(folders.state, domain.name);
    const std::string known = folder.defined() ? parse_domain(folder.definition(), domain.name).uuid : "";
    if (domain.uuid.empty()) model::set_uuid(domain, known.empty() ? new_uuid() : known);
    if (!known.empty() && known != domain.uuid)
        throw Error(
            ErrorCode::conflict,
            fmt::format("operation failed: domain '{}' already exists with uuid {}", domain.name, known),
            "undefine it first, or give the new one another name");
    for (const auto& name : store::domain_names(folders.state))
        if (name != domain.name &&
            parse_domain(store::DomainFolder(folders.state, name).definition(), name).uuid == domain.uuid)
            throw Error(ErrorCode::conflict,
                        fmt::format("operation failed: domain '{}' is already defined with uuid {}", name,
                                    domain.uuid),
                        "give the new one another <uuid>, or none");
}

void refuse_running(const View& view, const char* what) {
    if (!view.process()) return;
    throw Error(ErrorCode::conflict,
                fmt::format("Requested operation is not valid: cannot {} domain '{}' while it runs", what,
                            view.name()),
                fmt::format("domsnap destroy {}", view.name()));
}

} // namespace

Folders resolve_folders(Folders given) {
    const auto environment = [](const char* name) -> std::string {
        const char* value = std::getenv(name);
        return value ? value : "";
    };
    const bool root = geteuid() == 0;
    if (given.state.empty()) given.state = environment("DOMSNAP_STATE_DIR");
    if (given.state.empty() && root) given.state = "/var/lib/domsnap";
    if (given.state.empty()) {
        const auto base = environment("XDG_STATE_HOME");
        given.state = base.empty() ? environment("HOME") + "/.local/state/domsnap" : base + "/domsnap";
    }
    if (given.runtime.empty()) given.runtime = environment("DOMSNAP_RUNTIME_DIR");
    if (given.runtime.empty()) {
        const auto base = environment("XDG_RUNTIME_DIR");
        // Not in /tmp, where somebody else could have made the folder. Stale files of an earlier boot are
        // told by their pids.
        given.runtime = root ? "/run/domsnap" : base.empty() ? given.state + "/run" : base + "/domsnap";
    }
    given.state = os::absolute_path(given.state);
    given.runtime = os::absolute_path(given.runtime);
    return given;
}

Host::Host(Folders folders) : folders_(resolve_folders(std::move(folders))) {}

std::string Host::define(const std::string& xml, bool validate) {
    if (validate) validate_domain(xml);
    model::Domain domain = parse_domain(xml, "(domain_definition)");
    check_identity(folders_, domain);
    domain.document.remove_attribute("id");
    store::DomainFolder folder(folders_.state, domain.name);
    folder.require_private();
    const auto lock =
        os::FileLock::take(folder.lock_path(), os::LockMode::exclusive, fmt::format("define {}", domain.name),
                           Deadline::after(std::chrono::hours(1)));
    folder.remove_unfinished();
    if (!folder.defined())
        store::finish_removals(folders_.state); // lest they take what becomes the new one's
    folder.put_definition(plan::document_text(domain));
    return domain.name;
}

void Host::undefine(const std::string& name, const UndefineOptions& options, const Control& control) {
    const auto domain = resolve_name(folders_, name);
    refuse_running(View(folders_, domain), "undefine");
    check_undefine(View(folders_, domain), options);
    check_undefine_saved(View(folders_, domain), options);
    if (options.snapshots)
        for (const auto& snapshot : snapshots(domain))
            if (snapshot.parent.empty())
                snapshot_delete(
                    domain, snapshot.name,
                    {.children = true, .children_only = false, .metadata = false, .dry_run = false}, control);
    Session session(folders_, domain, "undefine", control);
    refuse_running(session, "undefine");
    check_undefine(session, options);
    check_undefine_saved(session, options);
    const auto left = store::Records(session.folder()).names().size();
    if (left && !options.snapshots_metadata)
        throw Error(
            ErrorCode::conflict,
            fmt::format("Requested operation is not valid: cannot delete inactive domain with {} snapshots",
                        left),
            "--snapshots deletes them with their files, --snapshots-metadata forgets them and leaves the "
            "files");
    const auto images = os::list_folder(session.folder().memory_folder());
    if (!images.empty())
        throw Error(ErrorCode::conflict,
                    fmt::format("memory images of domain '{}' lie in {} and would be lost", domain,
                                session.folder().memory_folder()),
                    "move them elsewhere first, or use --snapshots");
    machine::end_swtpm(session.files());
    auto gone = firmware_to_remove(session, options);
    if (left == 0)
        for (auto& file : own_files(session))
            gone.push_back(std::move(file));
    session.folder().remove(gone);
    os::remove_tree(session.files().folder);
}

void Host::rename(const std::string& name, const std::string& new_name, const Control& control) {
    Session session(folders_, resolve_name(folders_, name), "domrename", control);
    refuse_running(session, "rename");
    model::check_domain_name(new_name);
    store::rename_domain(folders_.state, session.name(), new_name);
    model::Domain domain = session.definition();
    model::set_name(domain, new_name);
    store::DomainFolder(folders_.state, new_name).put_definition(plan::document_text(domain));
}

bool Host::has_managed_save(const std::string& name) const {
    const auto fork = fork_of(store::DomainFolder(folders_.state, resolve_name(folders_, name)));
    return fork && fork->memory && fork->adopted();
}

} // namespace domsnap
