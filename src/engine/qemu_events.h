// QEMU's own events, as it writes them down for each domain, from where they were last read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace domsnap::engine {

struct QemuEvent {
    std::string name, detail; ///< "STOP"; detail: what of its data matters ("guest", "host")
};

class QemuEvents {
  public:
    explicit QemuEvents(std::string path) : path_(std::move(path)) {}
    /// What is there already is passed over.
    void skip();
    /// Those that came since. A file that was replaced is another QEMU's, and read from its beginning.
    std::vector<QemuEvent> next();

  private:
    std::string new_text();

    std::string path_, rest_; ///< rest_: a line whose end is not written yet
    uint64_t inode_ = 0, offset_ = 0;
};

} // namespace domsnap::engine
