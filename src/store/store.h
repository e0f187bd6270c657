// Definitions, snapshot records, the current snapshot. One folder a domain:
//   STATE/domains/NAME/{definition.xml,current,journal,snapshots/HASH.xml,files/HASH.xml,memory/}
// NAME is text::percent_encode of the domain's name; HASH is XXH3-128 (hex) of the snapshot's name, or of a
// known file's path, which therefore may be anything. Format: docs/formats/store.md. Knows nothing of images;
// a record arrives complete, as text.
#pragma once

#include "os/lock.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace domsnap::store {

/// Content above these sizes is refused as corrupt.
inline constexpr uint64_t max_document = 16 << 20;
/// What the store's first line may add to it.
inline constexpr uint64_t longest_header = 256;

class DomainFolder {
  public:
    /// Guards the state folder (os/guard.h): throws corrupt if it is open to others. (S2)
    DomainFolder(std::string state_folder, std::string domain_name);
    const std::string& path() const { return path_; }
    const std::string& name() const { return name_; }
    std::string journal() const { return path_ + "/journal"; }
    std::string memory_folder() const { return path_ + "/memory"; }
    std::string records_folder() const { return path_ + "/snapshots"; }
    /// STATE/locks/NAME: outside the folder, because that is renamed and removed. Makes STATE/locks.
    /// not_found for a name that is too long to be a domain's.
    std::string lock_path() const;

    /// Throws corrupt if one of the folders in it is a symlink or open to others, before anything is done;
    /// makes those private that others may read. (S2)
    void require_private() const;
    bool defined() const;
    /// Removes what writers that were killed left beside their targets. The lock must be held.
    void remove_unfinished();
    std::string definition() const;            ///< not_found: "failed to get domain 'x'"
    void put_definition(std::string_view xml); ///< durable; makes the folder
    // A domain that is made by a plan has its journal before it has a definition.
    void make_anew(); ///< the folder, empty, whatever lay there; the domain must not be defined
    void put_first_definition(std::string_view xml); ///< durable; leaves what is in the folder
    void remove_definition();                        ///< durable: what else is there does not count any more
    /// The whole folder, durably: a crash leaves all of it or none. with: what else goes with the domain, for
    /// good once the folder does.
    void remove(const std::vector<std::string>& with = {});

    std::string record_path(const std::string& snapshot) const;
    std::optional<std::string> record(const std::string& snapshot) const;
    void put_record(const std::string& snapshot, std::string_view xml); ///< durable
    void remove_record(const std::string& snapshot); ///< durable; nothing if it is not there

    // The ledger's entries (docs/formats/ledger.md), by the path of the file that each is about.
    std::vector<std::string> file_entries() const;               ///< paths of all entries, unordered
    std::string read_file_entry(const std::string& entry) const; ///< the document in one of file_entries()
    std::optional<std::string> file_entry(const std::string& file) const;
    void put_file_entry(const std::string& file, std::string_view xml); ///< durable
    void remove_file_entry(const std::string& file); ///< durable; nothing if it is not there

    std::optional<std::string> fork() const; ///< nothing for a domain that is no fork
    void put_fork(std::string_view xml);     ///< durable; "" removes

    std::string current() const;                   ///< "" = none
    void set_current(const std::string& snapshot); ///< durable; "" removes

  private:
    std::vector<std::string> documents_in(const char* folder) const;
    std::string document_path(const char* folder, const std::string& name) const;
    std::optional<std::string> document(const char* folder, const std::string& name) const;
    void put_document(const char* folder, const std::string& name, std::string_view xml);

    std::string state_, name_, path_;
};

/// STATE/firmware/UUID: what domsnap keeps of a domain's firmware and TPM. By the UUID, so that paths in
/// documents stay right when the domain is renamed.
std::string firmware_folder(const std::string& state_folder, const std::string& uuid);

/// Names of all domains with a definition, in virsh's order.
std::vector<std::string> domain_names(const std::string& state_folder);
/// What is left of domains that were being removed when somebody died: .gone-, and what was to go with them.
void finish_removals(const std::string& state_folder);
/// The same, and folders without a definition, but those whose lock somebody holds.
void remove_unfinished_domains(const std::string& state_folder);
/// Moves the folder only: the definition in it keeps its text. not_found, conflict if the other one is
/// defined.
void rename_domain(const std::string& state_folder, const std::string& from, const std::string& to);

/// Text with the store's header line ("<!-- domsnap record 1 … -->"); a newer version is refused: "written by
/// a newer domsnap". unwrap names path in its errors.
std::string wrap(std::string_view kind, std::string_view xml);
std::string unwrap(std::string_view kind, std::string_view content, const std::string& path);

} // namespace domsnap::store
