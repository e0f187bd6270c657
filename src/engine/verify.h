// snapshot-verify: each snapshot against its files, to the last checksum, and the ledger against what is
// there. Finds; repairs only what is asked for, and never what a snapshot or a disk needs.
#pragma once

#include "engine/session.h"
#include "plan/facts.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace domsnap::engine {

class Verifier {
  public:
    Verifier(Session& session, const VerifyOptions& options);
    /// name "" = all, and the domain itself. Throws not_found, cancelled.
    VerifyResult run(const std::string& name);

  private:
    /// One file's; each is looked at once, however many snapshots rest on it.
    struct Findings {
        std::vector<std::string> problems, notes;
    };

    Verdict verdict_of(const model::Snapshot& snapshot);
    void add_point(Verdict& verdict, const model::DiskPoint& point);
    void add_memory(Verdict& verdict, const model::Snapshot& snapshot);
    void add_chain(Verdict& verdict, const std::string& top);
    Verdict verdict_of_domain();

    const Findings& look_at_image(const std::string& path);
    const Findings& look_at_known(const std::string& path);
    const Findings& look_at_memory_image(const model::Snapshot& snapshot);
    const Findings& look_at_layer(const std::string& path);
    void compare(Findings& findings, const std::string& path);
    void check(Findings& findings, const plan::FileFacts& file);
    void take_leaks(Findings& findings, const plan::FileFacts& file, uint64_t leaks);

    Session& session_;
    VerifyOptions options_;
    std::vector<std::string> unreadable_; ///< records
    model::SnapshotTree tree_;
    plan::Facts facts_;
    std::set<std::string> frozen_;
    std::map<std::string, Findings> images_, known_, memories_, layers_; ///< by path
    std::vector<std::string> repaired_;
};

/// What the ledger has too much: files that domsnap made and nothing needs, entries of files that are gone or
/// that cannot be read. repair: they are removed, and a line of each is added to repaired.
std::vector<std::string> look_for_leftovers(Session& session, const plan::Facts& facts,
                                            const model::SnapshotTree& tree, bool repair,
                                            std::vector<std::string>& repaired);

} // namespace domsnap::engine
