// The ledger of one domain: the files that domsnap made for it, and those that its snapshots froze, each with
// that by which it is known again (docs/formats/ledger.md). What an entry means for a verb is known_files'
// business. A file without an entry is unknown, not wrong: domains are older than their ledgers.
#pragma once

#include "model/known_file.h"
#include "store/store.h"

#include <domsnap/progress.h>
#include <optional>
#include <string>
#include <vector>

namespace domsnap::engine {

class Ledger {
  public:
    explicit Ledger(store::DomainFolder folder) : folder_(std::move(folder)) {}

    /// Throws corrupt naming the entry's file, unsupported for one of a newer domsnap.
    std::optional<model::KnownFile> find(const std::string& path) const;
    /// One of folder.file_entries(). Throws as find.
    static model::KnownFile read(const store::DomainFolder& folder, const std::string& entry);
    /// Entries that cannot be read are left out, with a warning: what they were about is unknown.
    std::vector<model::KnownFile> all(const Control& control) const;

    // Each is durable when it returns, and done once even if it is done twice.

    /// A step has just made the file. Nobody may rely on its content yet.
    void made(const std::string& path, model::FileRole role);
    /// A snapshot froze the file as it is. format "": a memory image. anew: whatever was known of it; else
    /// only if nothing was.
    void frozen(const std::string& path, const std::string& format, bool anew);
    /// domsnap itself changed the file. Nothing to do if it is not known.
    void renew(const std::string& path);
    /// The content of child went down into base, and those that rested on child rest on base now.
    void merged(const std::string& child, const std::string& base);
    void forget(const std::string& path);

  private:
    void put(model::KnownFile file);
    store::DomainFolder folder_;
};

/// The file as it is now; role, made and frozen as given. Throws not_found; corrupt, unsupported for a header
/// that cannot be read.
model::KnownFile look_again(model::KnownFile file);

} // namespace domsnap::engine
