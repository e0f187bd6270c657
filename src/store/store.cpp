#include "store/store.h"

#include "base/error.h"
#include "base/text.h"
#include "os/file.h"
#include "os/guard.h"
#include "store/checksum.h"
#include "store/going.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::store {

static constexpr size_t longest_file_name = 255; // NAME_MAX of every file system that Linux runs guests from
static constexpr const char* gone_prefix = ".gone-";

static std::string domains_folder(const std::string& state) { return state + "/domains"; }

static bool can_be_a_domain(const std::string& name) {
    return !name.empty() && text::percent_encode(name).size() <= longest_file_name;
}

static void require_domain_name(const std::string& name) {
    if (can_be_a_domain(name)) return;
    throw Error(ErrorCode::invalid_request, fmt::format("invalid domain name '{}': {}", text::printable(name),
                                                        name.empty() ? "it is empty" : "it is too long"));
}

static Error no_domain(const std::string& name) {
    return Error(ErrorCode::not_found, fmt::format("failed to get domain '{}'", text::printable(name)),
                 "domsnap list --all shows the domains");
}

/// Nothing if there is no such file. A symlink is not followed: whoever put it there wants us to read
/// elsewhere.
static std::optional<std::string> read_ours(std::string_view kind, const std::string& path) {
    const auto content = os::read_own_file(path, max_document + longest_header);
    if (!content) return std::nullopt;
    return unwrap(kind, *content, path);
}

static void require_size(std::string_view document, const std::string& path) {
    if (document.size() <= max_document) return;
    throw Error(ErrorCode::invalid_request,
                fmt::format("{}: the document has {}, more than the {} that are allowed", path,
                            text::human_size(document.size()), text::human_size(max_document)));
}

DomainFolder::DomainFolder(std::string state_folder, std::string domain_name)
    : state_(std::move(state_folder)), name_(std::move(domain_name)),
      path_(domains_folder(state_) + "/" + text::percent_encode(name_)) {
    os::guard_folder(state_);
}

std::string DomainFolder::lock_path() const {
    if (!can_be_a_domain(name_)) throw no_domain(name_);
    os::make_folders(state_ + "/locks");
    return state_ + "/locks/" + text::percent_encode(name_);
}

void DomainFolder::require_private() const {
    for (const auto* own : {"/domains", "/locks", "/cache"})
        os::require_private_folder(state_ + own);
    if (!can_be_a_domain(name_)) return;
    os::require_private_folder(path_);
    for (const auto* own : {"/snapshots", "/files", "/memory"})
        os::require_private_folder(path_ + own);
}

bool DomainFolder::defined() const {
    return can_be_a_domain(name_) && os::file_info(path_ + "/definition.xml", false).has_value();
}

void DomainFolder::remove_unfinished() {
    os::remove_unfinished(path_);
    remove_going(path_); // of an undefine that ended before it counted, or an adopt that is done
    // Records are written under a journal only, and there may be thousands of them to look through.
    if (!os::exists(journal())) return;
    os::remove_unfinished(path_ + "/snapshots");
    os::remove_unfinished(path_ + "/files");
}

std::string DomainFolder::definition() const {
    if (!can_be_a_domain(name_)) throw no_domain(name_);
    auto xml = read_ours("definition", path_ + "/definition.xml");
    if (!xml) throw no_domain(name_);
    return *std::move(xml);
}

void DomainFolder::put_definition(std::string_view xml) {
    require_domain_name(name_);
    require_size(xml, path_ + "/definition.xml");
    // What an interrupted undefine left must not come back as the new domain's snapshots.
    if (!defined()) make_anew();
    put_first_definition(xml);
}

void DomainFolder::make_anew() {
    require_domain_name(name_);
    finish_removal(path_); // what was cut short before
    os::make_folders(path_ + "/snapshots");
    os::make_folders(memory_folder());
}

void DomainFolder::put_first_definition(std::string_view xml) {
    require_size(xml, path_ + "/definition.xml");
    os::write_file_durably(path_ + "/definition.xml", wrap("definition", xml));
}

void DomainFolder::remove_definition() { os::remove_file_durably(path_ + "/definition.xml"); }

std::optional<std::string> DomainFolder::fork() const {
    if (!can_be_a_domain(name_)) return std::nullopt;
    return read_ours("fork", path_ + "/fork.xml");
}

void DomainFolder::put_fork(std::string_view xml) {
    const auto path = path_ + "/fork.xml";
    require_size(xml, path);
    if (xml.empty())
        os::remove_file_durably(path);
    else
        os::write_file_durably(path, wrap("fork", xml));
}

void DomainFolder::remove(const std::vector<std::string>& with) {
    if (!can_be_a_domain(name_)) return;
    const std::string gone = domains_folder(state_) + "/" + gone_prefix + hash_text(name_);
    finish_removal(gone);
    if (!os::file_info(path_, false)) return;
    if (!with.empty()) put_going(path_, with);
    os::rename_durably(path_, gone);
    finish_removal(gone);
}

namespace {
/// Documents of one kind, each in a file named by a hash.
constexpr const char *snapshots_folder = "snapshots", *files_folder = "files";
const char* kind_in(std::string_view folder) { return folder == files_folder ? "file" : "record"; }
} // namespace

std::vector<std::string> DomainFolder::documents_in(const char* folder) const {
    std::vector<std::string> files;
    if (!can_be_a_domain(name_)) return files;
    const std::string path = path_ + "/" + folder;
    for (const auto& file : os::list_folder(path))
        if (is_hash_name(file)) files.push_back(path + "/" + file);
    return files;
}

std::string DomainFolder::document_path(const char* folder, const std::string& name) const {
    return path_ + "/" + folder + "/" + hash_text(name) + ".xml";
}

std::optional<std::string> DomainFolder::document(const char* folder, const std::string& name) const {
    if (!can_be_a_domain(name_)) return std::nullopt;
    return read_ours(kind_in(folder), document_path(folder, name));
}

void DomainFolder::put_document(const char* folder, const std::string& name, std::string_view xml) {
    const std::string path = document_path(folder, name);
    require_domain_name(name_);
    require_size(xml, path);
    os::make_folders(path_ + "/" + folder);
    os::write_file_durably(path, wrap(kind_in(folder), xml));
}

std::string DomainFolder::record_path(const std::string& snapshot) const {
    return document_path(snapshots_folder, snapshot);
}

std::optional<std::string> DomainFolder::record(const std::string& snapshot) const {
    return document(snapshots_folder, snapshot);
}

void DomainFolder::put_record(const std::string& snapshot, std::string_view xml) {
    put_document(snapshots_folder, snapshot, xml);
}

void DomainFolder::remove_record(const std::string& snapshot) {
    os::remove_file_durably(record_path(snapshot));
}

std::vector<std::string> DomainFolder::file_entries() const { return documents_in(files_folder); }

std::string DomainFolder::read_file_entry(const std::string& entry) const {
    auto xml = read_ours("file", entry);
    if (!xml) throw Error(ErrorCode::not_found, fmt::format("{}: no such entry of the ledger", entry));
    return *std::move(xml);
}

std::optional<std::string> DomainFolder::file_entry(const std::string& file) const {
    return document(files_folder, file);
}

void DomainFolder::put_file_entry(const std::string& file, std::string_view xml) {
    put_document(files_folder, file, xml);
}

void DomainFolder::remove_file_entry(const std::string& file) {
    os::remove_file_durably(document_path(files_folder, file));
}

std::string DomainFolder::current() const {
    if (!can_be_a_domain(name_)) return {};
    return read_ours("current", path_ + "/current").value_or("");
}

void DomainFolder::set_current(const std::string& snapshot) {
    if (snapshot.empty())
        os::remove_file_durably(path_ + "/current");
    else
        os::write_file_durably(path_ + "/current", wrap("current", snapshot));
}

std::string firmware_folder(const std::string& state_folder, const std::string& uuid) {
    return state_folder + "/firmware/" + uuid;
}

std::vector<std::string> domain_names(const std::string& state_folder) {
    os::guard_folder(state_folder);
    std::vector<std::string> names;
    for (const auto& entry : os::list_folder(domains_folder(state_folder))) {
        const auto name = text::percent_decode(entry);
        if (name && DomainFolder(state_folder, *name).defined()) names.push_back(*name);
    }
    std::sort(names.begin(), names.end(), text::name_less);
    return names;
}

static void remove_if_undefined(const std::string& state_folder, const std::string& name) {
    DomainFolder folder(state_folder, name);
    if (folder.defined()) return;
    const auto lock = os::FileLock::try_take(folder.lock_path(), os::LockMode::exclusive, "recover");
    if (lock && !folder.defined()) finish_removal(folder.path());
}

void finish_removals(const std::string& state_folder) {
    os::guard_folder(state_folder);
    for (const auto& entry : os::list_folder(domains_folder(state_folder)))
        if (entry.starts_with(gone_prefix)) finish_removal(domains_folder(state_folder) + "/" + entry);
}

void remove_unfinished_domains(const std::string& state_folder) {
    finish_removals(state_folder);
    for (const auto& entry : os::list_folder(domains_folder(state_folder))) {
        const auto name = text::percent_decode(entry);
        if (name && can_be_a_domain(*name)) remove_if_undefined(state_folder, *name);
    }
}

void rename_domain(const std::string& state_folder, const std::string& from, const std::string& to) {
    require_domain_name(to);
    const DomainFolder old_folder(state_folder, from), new_folder(state_folder, to);
    if (!old_folder.defined()) throw no_domain(from);
    if (new_folder.defined())
        throw Error(ErrorCode::conflict, fmt::format("domain '{}' already exists", text::printable(to)));
    os::remove_tree(new_folder.path());
    os::rename_durably(old_folder.path(), new_folder.path());
}

} // namespace domsnap::store
