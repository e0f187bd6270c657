// domsnap's door: the domains of one state folder, run, stopped, and their snapshots. Every call blocks until
// it is done, may be made from any thread and any process at once (a lock for each domain decides), recovers
// first what a crash left half done, and throws domsnap::Error.
#pragma once

#include <domsnap/error.h>
#include <domsnap/progress.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace domsnap {

/// Folders; empty ones take the defaults: $DOMSNAP_STATE_DIR, else /var/lib/domsnap for root, else
/// $XDG_STATE_HOME/domsnap (~/.local/state); $DOMSNAP_RUNTIME_DIR, else /run/domsnap for root, else
/// $XDG_RUNTIME_DIR/domsnap, else the state folder's "run".
struct Folders {
    std::string state, runtime;
};
Folders resolve_folders(Folders given);

enum class DomainState { running, paused, shutoff, crashed, in_error };
/// libvirt's words: "running", "paused", "shut off", "crashed", "paused" (in_error: an I/O error stopped it).
const char* to_string(DomainState state);

struct DomainInfo {
    std::string name, uuid;
    int64_t id = -1; ///< -1 = not active
    DomainState state = DomainState::shutoff;
    std::string
        reason; ///< as `domstate --reason`: "booted", "from snapshot", "user", "destroyed", "shutdown", …
    std::string os_type = "hvm", type; ///< type: "kvm", "qemu"
    unsigned vcpus = 1;
    uint64_t max_memory = 0, used_memory = 0; ///< bytes
    std::string machine;
    int64_t pid = 0;
    bool active() const { return id >= 0; }
};

struct DiskInfo {
    std::string target, type, device, source, format, bus; ///< source "" = no medium
    std::vector<std::string> chain;                        ///< files, top first
};

struct CreateOptions {
    bool redefine = false, current = false, no_metadata = false, halt = false, disk_only = false;
    bool reuse_external = false, quiesce = false, atomic = false, live = false, validate = false;
    bool dry_run = false;
    bool full = false; ///< the memory whole, not only what differs from an earlier image
    bool wait = true;  ///< else it returns as soon as the guest runs again, where the guest runs meanwhile
};

struct RevertOptions {
    bool running = false, paused = false, force = false, reset_nvram = false;
    bool dry_run = false, eager = false;
    bool mapped = false; ///< RAM is a private mapping of the memory image, shared with all who map it
    bool tmpfs = false;  ///< mapped: of a copy of the image in the host's memory, which needs no image any more
    bool new_process = false; ///< never in place
    /// Not empty: a snapshot of that name is taken first, with the memory of what is active.
    std::string save;
};

struct DeleteOptions {
    bool children = false, children_only = false, metadata = false;
    bool dry_run = false;
};

/// What would be done, or was: the very plan, step by step.
struct PlanStep {
    std::string action;              ///< one line in plain words
    std::vector<std::string> files;  ///< every file it makes, changes or removes
    bool guest_paused = false;       ///< the guest stands still during this step
    bool point_of_no_return = false; ///< from here on a crash is recovered forward
};
struct PlanView {
    std::string operation; ///< "snapshot-create", …
    std::vector<PlanStep> steps;
    std::string guest;  ///< what the guest will feel
    uint64_t space = 0; ///< bytes that may be needed, at most
    std::vector<std::string> warnings;
    std::vector<std::string> afterwards = {}; ///< what is left to the user when it is done
};

struct CreateResult {
    std::string name;
    PlanView plan;       ///< filled always
    bool saving = false; ///< its memory is being written still; it is no snapshot until that is done
};

/// A guest's memory on its way into a file, whoever waits for it; or what became of the last one.
struct JobInfo {
    enum class State { running, completed, failed, cancelled } state = State::running;
    std::string snapshot; ///< "" = not known any more
    std::string error;    ///< of failed and cancelled
    uint64_t elapsed_ms = 0, memory_done = 0, memory_total = 0;
};

struct RevertResult {
    PlanView plan;
    DomainState state = DomainState::shutoff;
    /// How: "in place", "offline", or "new process", with ", memory as it is needed", ", memory first" or
    /// ", memory mapped", or ", memory mapped on tmpfs".
    std::string way;
};

struct WarmOptions {
    bool off = false, dry_run = false;
    /// First to a process with RAM mapped from the snapshot's image, if it is not yet: a revert.
    bool mapped = false;
    bool tmpfs = false; ///< the same from a copy of that image in the host's memory: snapshots stay live
    std::string save;   ///< mapped, tmpfs: as in RevertOptions
};

struct ForkOptions {
    bool start = false, paused = false, dry_run = false;
    std::optional<unsigned> count; ///< so many at once: NEW-1, NEW-2, …
};
struct ForkResult {
    std::vector<std::string> names; ///< of the new domains
    std::vector<PlanView> plans;    ///< one each
};

struct VerifyOptions {
    bool repair = false; ///< give back leaked clusters, remove files that nothing needs and entries of none
    bool accept = false; ///< what was changed behind domsnap's back is right: it is known as it is now
};
/// What was found of one snapshot.
struct Verdict {
    std::string snapshot; ///< "" = what belongs to none: the domain's own disks, left-over files
    std::vector<std::string> problems;
    std::vector<std::string> notes; ///< what is no problem, or could not be looked at
    bool good() const { return problems.empty(); }
};
struct VerifyResult {
    std::vector<Verdict> verdicts;     ///< the snapshots' in virsh's order, the domain's own last
    std::vector<std::string> repaired; ///< what was done
    bool good() const;
};

struct SnapshotInfo {
    std::string name, domain, state, parent; ///< parent "" = root; state "saving": it is none yet
    bool current = false, external = false, has_memory = false;
    std::string memory; ///< location of memory: "no", "internal", "external"
    unsigned children = 0, descendants = 0;
    int64_t creation_time = 0; ///< epoch seconds
    std::string description;
    bool warm = false; ///< what a revert in place begins with lies ready; only snapshot_info() looks
    enum class Ram { own, mapped, mapped_on_tmpfs };
    Ram ram = Ram::own; ///< of a warm one: whether the guest's is a mapping of its image
};

/// The file that a snapshot's memory is in, and what it rests on.
struct MemoryImageInfo {
    std::string file;
    uint64_t size = 0;   ///< bytes on disk, of this file alone
    std::string parent;  ///< the image of which it stores the difference; "" = none
    unsigned chain = 1;  ///< files that it takes to read it, itself among them
    std::string problem; ///< why that cannot be read to its end; "" = it was
};

struct VncAddress {
    std::string host; ///< empty: socket
    int port = 0;
    std::string socket;
};

/// The machine that the domains run on.
struct NodeInfo {
    std::string hostname, uuid, arch;     ///< uuid "" = the firmware's cannot be read
    uint64_t memory = 0, free_memory = 0; ///< bytes
    unsigned cpus = 1, mhz = 0, sockets = 1, cores = 1, threads = 1;
};

/// The QEMU that a domain without <emulator> gets.
struct EmulatorInfo {
    std::string path, version, arch;
    std::vector<std::string> machines;
    std::vector<std::pair<std::string, std::string>> aliases; ///< "q35", "pc-q35-7.2"
    bool kvm = false;                                         ///< this host can run type='kvm'
};

struct DiskSize {
    uint64_t capacity = 0, allocation = 0, physical = 0; ///< bytes: the guest's, on disk, of the file
};

struct Picture {
    std::string type, data; ///< MIME type, content
};

/// A guest's serial device, open. Two threads may read and write it, a third interrupt them.
class Console {
  public:
    virtual ~Console() = default;
    virtual std::string read() = 0;                 ///< waits; "" when the guest is gone or after interrupt()
    virtual void write(std::string_view bytes) = 0; ///< waits until the guest's device has taken them
    virtual void interrupt() = 0;
};

/// The RFC's table of combinations as this build implements it, a line per row.
std::string combination_table();

class Watch;
namespace engine {
class KeptStates;
}

class Host {
  public:
    explicit Host(Folders folders = {});
    const Folders& folders() const { return folders_; }
    /// For a process that lives long and is asked often: list() and info() look at a domain anew only when
    /// something of it has changed, whoever changed it, or after five seconds. Takes two descriptors, and one
    /// for each domain that runs; where there is none, they look as before.
    void keep_states();

    // Domains. name: a name, UUID or id, as virsh takes them; not_found "failed to get domain 'x'".
    std::vector<DomainInfo>
    list(bool inactive_too) const; ///< virsh's order: active by id, then the others by name
    DomainInfo info(const std::string& name) const;
    double cpu_seconds(const DomainInfo& info) const; ///< of QEMU's process up to now; 0 when off
    /// Returns the domain's name. A definition with that name and uuid is replaced; the same name with
    /// another uuid, or the reverse, is refused (conflict).
    std::string define(const std::string& xml, bool validate = false);
    struct UndefineOptions {
        bool snapshots_metadata = false, snapshots = false;
        bool nvram = false, keep_nvram = false; ///< a domain with an NVRAM needs one of them
        bool tpm = false, keep_tpm = false;     ///< neither: as the document's persistent_state= says
        bool managed_save = false;              ///< what libvirt saved, and waits, is removed
    };
    void undefine(const std::string& name, const UndefineOptions& options, const Control& control = {});
    void rename(const std::string& name, const std::string& new_name, const Control& control = {});
    std::string xml(const std::string& name, bool inactive, bool security_info = false) const;
    std::vector<DiskInfo> disks(const std::string& name, bool inactive = false) const;

    /// Whether memory that libvirt saved waits for the next start, which goes on from it.
    bool has_managed_save(const std::string& name) const;

    struct StartOptions {
        bool paused = false, reset_nvram = false;
        bool force_boot = false; ///< a fork too, whose first start would go on from its snapshot's memory
    };
    void start(const std::string& name, const StartOptions& options, const Control& control = {});
    void shutdown(const std::string& name, const Control& control = {}); ///< asks the guest; returns at once
    void reboot(const std::string& name, const Control& control = {});
    void reset(const std::string& name, const Control& control = {});
    void destroy(const std::string& name, bool graceful = false, const Control& control = {});
    void suspend(const std::string& name, const Control& control = {});
    void resume(const std::string& name, const Control& control = {});

    /// The terminal device or socket behind a serial or console device ("" = the first).
    struct ConsolePath {
        bool is_socket = false;
        std::string path;
    };
    ConsolePath console(const std::string& name, const std::string& device = {}) const;
    std::unique_ptr<Console> open_console(const std::string& name, const std::string& device = {}) const;
    std::string monitor_command(const std::string& name, const std::string& command, bool human) const;
    /// Writes a PNG or PPM into the file; returns its MIME type.
    std::string screenshot(const std::string& name, const std::string& file) const;
    Picture screenshot(const std::string& name) const;
    void send_key(const std::string& name, const std::vector<std::string>& keys, int hold_ms) const;
    std::optional<VncAddress> display(const std::string& name) const;

    /// disk: its target, or its source.
    DiskSize disk_size(const std::string& name, const std::string& disk) const;

    // Where the domains run
    NodeInfo node() const;
    EmulatorInfo emulator() const;

    // Snapshots
    CreateResult snapshot_create(const std::string& domain, const std::string& xml,
                                 const CreateOptions& options, const Control& control = {});
    RevertResult snapshot_revert(const std::string& domain, const std::string& snapshot,
                                 const RevertOptions& options, const Control& control = {});
    /// Makes ready in the running QEMU what going back to the snapshot in place begins with; off: takes away
    /// what lies ready, for whichever snapshot. One snapshot of a domain is warm at a time. Throws conflict
    /// where the running guest cannot go back in place.
    PlanView snapshot_warm(const std::string& domain, const std::string& snapshot, const WarmOptions& options,
                           const Control& control = {});
    /// What a revert would drop, for a question before it: "what the guest did since snapshot 'a'"; "" =
    /// nothing.
    std::string unsaved_changes(const std::string& domain) const;
    /// Returns the plan (done, or with dry_run only said).
    PlanView snapshot_delete(const std::string& domain, const std::string& snapshot,
                             const DeleteOptions& options, const Control& control = {});
    /// New domains that begin where the snapshot ended: all of them, or none.
    ForkResult snapshot_fork(const std::string& domain, const std::string& snapshot, const std::string& name,
                             const ForkOptions& options, const Control& control = {});
    std::vector<SnapshotInfo> snapshots(const std::string& domain) const; ///< virsh's order
    SnapshotInfo snapshot_info(const std::string& domain, const std::string& snapshot) const;
    /// Nothing where its memory is not in a file of its own.
    std::optional<MemoryImageInfo> snapshot_memory(const std::string& domain,
                                                   const std::string& snapshot) const;
    std::string snapshot_xml(const std::string& domain, const std::string& snapshot,
                             bool security_info = false) const;
    std::string snapshot_parent(const std::string& domain, const std::string& snapshot) const; ///< "" = root
    std::string snapshot_current(const std::string& domain) const;                             ///< "" = none
    void set_snapshot_current(const std::string& domain, const std::string& snapshot,
                              const Control& control = {});
    /// Replaces a record by an edited one (snapshot-edit); rename or clone when the name differs. Returns the
    /// new name.
    std::string snapshot_edit(const std::string& domain, const std::string& snapshot, const std::string& xml,
                              bool rename, bool clone, const Control& control = {});

    /// Nothing if no memory is being written.
    std::optional<JobInfo> job(const std::string& domain) const;
    /// The last one that ended.
    std::optional<JobInfo> completed_job(const std::string& domain) const;
    /// Asks for its end: the snapshot is taken back, the guest goes on. Returns at once. Throws conflict if
    /// there is none.
    void abort_job(const std::string& domain);

    /// What was cut short and waits to be finished or taken back, in words: what is seen of the domain may be
    /// half of it. "" if nothing was, or if whoever began it is still at work.
    std::string unfinished(const std::string& domain) const;

    /// Records against files, chains, formats, checksums, and what is known of each file. snapshot "" = all,
    /// and the domain's own disks and files. Changes nothing but what the options say, and never what a
    /// snapshot needs.
    VerifyResult snapshot_verify(const std::string& domain, const std::string& snapshot,
                                 const VerifyOptions& options, const Control& control = {});

    /// Finishes or undoes what a crash left; one line for each thing done. domain "" = all.
    std::vector<std::string> recover(const std::string& domain, const Control& control = {});

  private:
    friend Watch;
    Folders folders_;
    std::shared_ptr<engine::KeptStates> kept_; ///< none: they are looked at each time
};

} // namespace domsnap
