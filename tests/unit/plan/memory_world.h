// A world of images in memory, on which the steps of a plan are really carried out: content by block, backing
// files, internal snapshots with qcow2's rule for what they have not allocated (it is read from the backing
// file, as that is now). No QEMU, no files, no time.
#pragma once

#include "plan/step.h"

#include <map>
#include <set>
#include <string>

namespace domsnap::plan {

using Blocks = std::map<int, int>; ///< what is allocated: number -> content; 0 is a block of zeros

struct MemoryImage {
    std::string format, backing;
    Blocks active;
    std::map<std::string, Blocks> tags; ///< internal snapshots
    std::map<std::string, int> states;  ///< memory in them, by tag
    int memory = 0;                     ///< a memory image's
    bool operator==(const MemoryImage&) const = default;
};

class MemoryWorld {
  public:
    static constexpr int blocks = 6; ///< of each disk

    std::map<std::string, MemoryImage> images;
    std::map<std::string, std::string> records;
    std::string current, definition, live, warm;
    bool running = false;
    int memory = 0;                          ///< the guest's
    std::map<std::string, std::string> leaf; ///< what the running QEMU writes to, by target
    std::map<std::string, std::string>
        nodes; ///< the running QEMU's, by path; names tell nothing of the world
    std::map<std::string, unsigned> next_node;

    /// Throws std::logic_error for a step that cannot be: a file that is there already, a commit into what is
    /// no base, …
    void apply(const Action& action);
    void undo(const Action& action);

    int read(const std::string& path, int block) const;
    int read(const std::string& path, const std::string& tag, int block) const;
    void write(const std::string& path, int block, int content) { images.at(path).active[block] = content; }
    void start(const std::string& text);
    void stop();

    bool same_but_for_nodes(const MemoryWorld& other) const;
};

} // namespace domsnap::plan
