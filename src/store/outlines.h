// The outlines of a domain's records in one file, so that a list of thousands opens one and not each of them.
// Derived and never believed: an outline counts only for the very file that it was made from
// (docs/formats/outlines.md). Refuses to know what a record says: who reads records adds their outlines.
#pragma once

#include "model/outline.h"
#include "os/open_folder.h"
#include "store/store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace domsnap::store {

class Outlines {
  public:
    Outlines() = default;
    /// Empty if there are none, or if they are damaged, too many, or of another version.
    explicit Outlines(const DomainFolder& folder);

    size_t size() const { return entries_.size(); }
    /// Nothing if none is known of that file as it is now. name: HASH.xml.
    std::optional<model::SnapshotOutline> find(const std::string& name, const os::FileStamp& stamp) const;

  private:
    void parse();

    std::string content_;
    std::unordered_map<std::string_view, std::string_view> entries_; ///< by the record's file
};

/// The same, to be written.
class NewOutlines {
  public:
    /// now: nanoseconds since 1970, from before the file was looked at. One that changed a moment ago is left
    /// out: it may change again within the same tick of the kernel's clock, and nobody would see it.
    void add(const std::string& name, const os::FileStamp& stamp, const model::SnapshotOutline& outline,
             uint64_t now);
    /// Replaces those in the folder. Without it, or with any other, lists are right, only later: nothing is
    /// thrown.
    void write(const DomainFolder& folder) const;
    std::string text() const;

  private:
    std::string entries_;
    uint32_t count_ = 0;
};

} // namespace domsnap::store
