// The folder of a domain's records, held open: for those who look at all of them.
#pragma once

#include "os/open_folder.h"
#include "store/store.h"

#include <optional>
#include <string>
#include <vector>

namespace domsnap::store {

struct RecordFile {
    std::string name; ///< HASH.xml
    os::FileStamp stamp;
};

class Records {
  public:
    explicit Records(const DomainFolder& folder);

    std::vector<RecordFile> files() const; ///< in no order
    std::vector<std::string> names() const;

    struct Read {
        std::string document;
        os::FileStamp stamp;
    };
    /// Nothing if it has gone since. Throws corrupt, unsupported as DomainFolder::record.
    std::optional<Read> read(const std::string& name) const;
    std::string path_of(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
    os::OpenFolder folder_;
};

} // namespace domsnap::store
