// One domain with its snapshots, twice: as the planner and its steps make it (MemoryWorld), and as a model
// that keeps a full copy of everything that a snapshot is to keep. check() compares the two, and looks for
// files that nothing needs.
#pragma once

#include "memory_world.h"
#include "model/tree.h"
#include "plan/planner.h"

#include <optional>
#include <string>
#include <vector>

namespace domsnap::plan {

struct DiskKind {
    bool qcow2 = true;
    bool golden = false; ///< the disk is the user's own overlay of a base image
};

class TreeModel {
  public:
    explicit TreeModel(const std::vector<DiskKind>& disks);

    // What may happen. False: it was refused, and nothing was changed.
    bool create(const std::string& request, bool disk_only, unsigned undo_after);
    bool revert(unsigned snapshot, const RevertOptions& options, unsigned undo_after);
    bool remove(unsigned snapshot, const DeleteOptions& options);
    void write(unsigned disk, unsigned block);
    void start_or_stop();
    /// Another domain rests on a file that a snapshot froze.
    void share(unsigned snapshot);

    size_t size() const { return world_.records.size(); }
    const std::vector<std::string>& targets() const { return targets_; }
    bool running() const { return world_.running; }
    /// "" = all is as it must be.
    std::string check() const;
    size_t merges_down() const { return down_; }
    size_t merges_up() const { return up_; }
    size_t reverts_in_place() const { return in_place_; }

  private:
    using Disks = std::map<std::string, std::vector<int>>; ///< by target
    struct Copy {
        Disks disks;
        std::optional<int> memory;
    };
    Facts facts() const;
    void add_disk_facts(Facts& facts, const model::Domain& domain) const;
    model::SnapshotTree tree() const;
    std::string name_of(unsigned snapshot) const;
    std::vector<int> content(const std::string& path) const;
    void carry_out(const Plan& plan, unsigned undo_after);
    void note_files(const Plan& plan);
    std::string check_snapshots() const;
    std::string check_guest() const;
    std::string check_files() const;
    std::string check_others() const;

    MemoryWorld world_;
    std::vector<std::string> targets_;
    std::set<std::string> users_, made_, given_,
        foreign_;                                    ///< files: the user's, ours, frozen, read by others
    std::map<std::string, std::vector<int>> others_; ///< other domains' disks, as they must stay
    std::map<std::string, Copy> copies_;
    Disks guest_;
    /// By name: a text, and what it says. Parsing is nine tenths of the work.
    mutable std::map<std::string, std::pair<std::string, model::Snapshot>> parsed_;
    int next_content_ = 1;
    unsigned next_name_ = 0;
    bool merges_may_be_left_ = false; ///< the last operation started a guest
    void count_node(const std::string& node);
    size_t down_ = 0, up_ = 0, in_place_ = 0;
    std::string trouble_;
};

} // namespace domsnap::plan
