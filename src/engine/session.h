// One domain while a verb works on it: its folder, its lock, its QEMU. What a crash left half done is
// finished or undone before anything else. Decides nothing: plans do.
#pragma once

#include "engine/deadlines.h"
#include "engine/ledger.h"
#include "machine/process.h"
#include "model/domain.h"
#include "model/tree.h"
#include "os/lock.h"
#include "store/store.h"

#include <domsnap/host.h>
#include <optional>
#include <string>

namespace domsnap::engine {

/// A domain for reading: no lock; files are replaced whole, so what is read is a state that was.
class View {
  public:
    /// Throws not_found "failed to get domain 'x'".
    View(const Folders& folders, const std::string& name);

    /// Of a domain that is being made: nothing is read.
    View(const Folders& folders, model::Domain domain);

    const std::string& name() const { return folder_.name(); }
    const Folders& folders() const { return folders_; }
    const store::DomainFolder& folder() const { return folder_; }
    store::DomainFolder& folder() { return folder_; }
    Ledger ledger() const { return Ledger(folder_); }
    const machine::RuntimeFiles& files() const { return files_; }
    const model::Domain& definition() const { return definition_; }
    void set_definition(model::Domain domain) { definition_ = std::move(domain); }

    std::optional<os::ProcessId> process() const { return machine::find(files_); }
    /// What runs; the definition if nothing does.
    model::Domain live() const;
    model::SnapshotTree snapshots() const;
    /// Those that can be read; a line for each that cannot.
    model::SnapshotTree readable_snapshots(std::vector<std::string>& unreadable) const;
    /// Without <domain>, <inactiveDomain> and <cookie>: for those who ask about the tree and the disks alone.
    /// They are nine tenths of a record, and a list of thousands must not parse them.
    model::SnapshotTree snapshot_heads() const;
    model::Snapshot snapshot(const std::string& name) const; ///< not_found in libvirt's words

  private:
    using ParseRecord = model::Snapshot(const std::string& text, const std::string& source);
    model::SnapshotTree read_snapshots(ParseRecord* parse) const;

    Folders folders_;
    store::DomainFolder folder_;
    model::Domain definition_;
    machine::RuntimeFiles files_;
};

/// A domain for changing: the exclusive lock is held, recovery is done.
class Session : public View {
  public:
    /// Waits for the lock, saying for whom through control.warning.
    Session(const Folders& folders, const std::string& name, const std::string& verb, const Control& control);
    /// For making that domain, in a folder that is empty. Throws conflict if there is one of that name.
    Session(const Folders& folders, model::Domain new_domain, const std::string& verb,
            const Control& control);
    /// With a lock that another process had and handed over: nothing is recovered, its plan is in the midst.
    Session(const Folders& folders, const std::string& name, os::FileLock lock, const Control& control);
    const os::FileLock& lock() const { return lock_; }
    const Control& control() const { return control_; }
    /// The definition, after a plan has changed it.
    void reload();

    /// conflict if none runs. Asks nothing of QEMU, which may hang.
    os::ProcessId running_process() const;
    /// The monitor of the running QEMU; conflict if none runs.
    qmp::Client& monitor();
    void use_monitor(qmp::Client monitor) { monitor_ = std::move(monitor); }
    void forget_monitor() { monitor_.reset(); }

  private:
    Control control_;
    os::FileLock lock_;
    std::optional<qmp::Client> monitor_;
};

/// The domain's name behind a name, a UUID or an id. Throws not_found.
std::string resolve_name(const Folders& folders, const std::string& given);
/// The domain behind one, for reading.
View view_of(const Folders& folders, const std::string& given);
machine::RuntimeFiles runtime_files(const Folders& folders, const std::string& uuid);
/// A record up to its <domain>.
model::Snapshot parse_record_head(const std::string& text, const std::string& source);
/// The definition's text as a domain; source names it in errors.
model::Domain parse_domain(const std::string& text, const std::string& source);

} // namespace domsnap::engine
