// A migration stream becomes a memory image, as it comes; and back.
#pragma once

#include "base/deadline.h"
#include "memory/block_content.h"
#include "memory/image.h"
#include "os/fd.h"
#include "os/process.h"

#include <domsnap/error.h>
#include <domsnap/progress.h>
#include <memory>
#include <optional>
#include <string>

namespace domsnap::memory {

struct CaptureResult {
    bool complete = false;          ///< the image is whole, synced, and its trailer written
    std::string error;              ///< what went wrong otherwise, in the user's words
    ErrorCode code = ErrorCode::io; ///< of that error
    std::string hint;               ///< what to do about it, if there is something
    std::string whole_because;      ///< why no use was made of the parent that was given
    uint64_t stream_bytes = 0, data_pages = 0, zero_pages = 0, repeated_pages = 0;
    uint64_t parent_pages = 0; ///< not stored, because the parent has them
};

/// Reads the stream to its end, whatever happens to the image: after a write error (disk full) it notes it,
/// goes on draining, and only then fails. QEMU 7.2 freezes the guest for ever if the reader of a
/// background-snapshot goes away. image: open for writing; emptied first, and again if the capture fails.
/// Never throws for what the stream or the disk does; see CaptureResult. Progress what = "memory", in bytes
/// of RAM. control.cancel is not obeyed. The stream of a plain migration of a stopped guest is the same and
/// is captured the same way. parent: the image whose pages are not stored once more; "": none. One that
/// cannot be used makes the image a whole one.
CaptureResult capture_stream(int stream, const os::Fd& image, const std::string& image_path,
                             const ImageIdentity& identity, const Control& control,
                             const std::string& parent = {});

/// Where a capture process gets memory from.
enum class CaptureSource {
    stream,     ///< QEMU's migration
    changed_ram ///< the guest's RAM itself: memory/changed_capture.h
};

/// The capture as a process of its own session (program domsnap-memory, beside the executable, in
/// ../libexec/domsnap, or $DOMSNAP_LIBEXEC_DIR): Ctrl-C and a killed parent do not reach it. While it works
/// it holds an exclusive flock on the image file, so that anybody can wait for it by the file alone.
class CaptureProcess {
  public:
    /// stream: the read end (of changed_ram, the socket); given to the child and closed here. image_path: an
    /// existing empty file of ours. parent: as for capture_stream. The paths, and nothing else, show in the
    /// child's command line. status_path: where it tells everybody how far it is (memory/capture_status.h);
    /// "" = nowhere. Errors: not_found (no program), busy (somebody has the image's lock), io.
    static CaptureProcess start(os::Fd stream, const std::string& image_path, const ImageIdentity& identity,
                                const std::string& log_path, const std::string& parent = {},
                                const std::string& status_path = {},
                                CaptureSource source = CaptureSource::stream);
    CaptureProcess(CaptureProcess&&) noexcept;
    ~CaptureProcess(); ///< leaves the child alone
    const os::ProcessId& id() const;
    /// Waits until the image is complete, reporting progress (what = "memory"). Errors: io/corrupt with the
    /// capture's words, timed_out, outcome_unknown if the child died without a word. control.cancel is NOT
    /// obeyed here: the caller cancels in QEMU or lets it drain.
    CaptureResult wait(const Control& control, uint64_t expected_total, Deadline deadline);
    /// One look: nothing while it works.
    std::optional<CaptureResult> poll();

  private:
    struct State;
    explicit CaptureProcess(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// True while some capture process holds the image's lock.
bool capture_in_progress(const std::string& image_path);
/// Waits for that lock to go; false after the deadline.
bool wait_for_capture(const std::string& image_path, Deadline deadline);

/// Writes an ordinary migration stream to out (for -incoming), verifying each page's checksum on the way.
/// Throws corrupt, io (QEMU went away), cancelled. Progress what = "memory". Run it in a thread of its own
/// beside the QMP client: it blocks as QEMU reads. main_is_there: QEMU has mapped the main block's pages from
/// the image itself, or from the whole one that it rests on; only those are sent that differ from that.
void write_stream(const ImageReader& image, int out, const Control& control,
                  const std::optional<BlockContent>& instead = std::nullopt, bool main_is_there = false);
/// The stream without main RAM's pages, as text: for a guest whose RAM is made the image's by other means.
std::string device_stream(const ImageReader& image,
                          const std::optional<BlockContent>& instead = std::nullopt);

} // namespace domsnap::memory
