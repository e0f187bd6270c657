#include "base/text.h"
#include "memory/capture.h"
#include "memory/capture_report.h"
#include "memory/identity.h"
#include "os/bulk.h"
#include "os/file.h"
#include "os/signals.h"
#include "os/socket.h"

#include <fmt/format.h>
#include <poll.h>

namespace domsnap::memory {

struct CaptureProcess::State {
    os::ProcessId id;
    os::Fd report;
    std::string image_path, unread;
    CaptureProgress progress;
    std::optional<CaptureResult> result;
    bool silent = false; ///< it ended without a result
};

// The lock is taken here and inherited with the descriptor, so there is no moment at which the image looks
// unused. Somebody who just asks whether it is locked has it for an instant: hence a short patience.
static os::Fd open_locked(const std::string& image_path) {
    os::Fd image = os::open_read_write(image_path);
    const Deadline patience = Deadline::after(std::chrono::seconds(2));
    while (!os::try_lock(image, os::LockMode::exclusive, image_path)) {
        if (patience.passed())
            throw Error(ErrorCode::busy, fmt::format("memory image '{}' is in use by another process",
                                                     text::printable(image_path)));
        ::poll(nullptr, 0, 5);
    }
    return image;
}

static os::Fd pipe_with(const std::string& content) {
    auto [read_end, write_end] = os::make_pipe(2 * max_identity);
    if (content.size() > max_identity)
        throw Error(ErrorCode::invalid_request, "the image's identity is too long");
    os::write_all(write_end.get(), content.data(), content.size(), "the pipe to the capture process");
    return std::move(read_end);
}

CaptureProcess CaptureProcess::start(os::Fd stream, const std::string& image_path,
                                     const ImageIdentity& identity, const std::string& log_path,
                                     const std::string& parent, const std::string& status_path,
                                     CaptureSource source) {
    const std::string program = os::find_own_program(capture_program_name);
    const os::Fd image = open_locked(image_path), identity_pipe = pipe_with(identity_to_json(identity));
    auto [report_read, report_write] = os::make_pipe();
    os::Background spec;
    spec.argv = {program, image_path, status_path, parent};
    if (source == CaptureSource::changed_ram) spec.argv.insert(spec.argv.begin() + 1, of_changed_ram);
    spec.log_path = log_path;
    spec.passed = {{stream.get(), CaptureDescriptors::stream},
                   {image.get(), CaptureDescriptors::image},
                   {identity_pipe.get(), CaptureDescriptors::identity},
                   {report_write.get(), CaptureDescriptors::report}};
    spec.in_child = os::ignore_interrupts; // from its first instant; what is ignored stays so across exec
    auto state = std::make_unique<State>();
    state->image_path = image_path;
    state->id = os::start_background(spec);
    state->report = std::move(report_read);
    return CaptureProcess(std::move(state));
}

CaptureProcess::CaptureProcess(std::unique_ptr<State> state) : state_(std::move(state)) {}
CaptureProcess::CaptureProcess(CaptureProcess&&) noexcept = default;
CaptureProcess::~CaptureProcess() = default;
const os::ProcessId& CaptureProcess::id() const { return state_->id; }

// Reads what is there; false at the end of the pipe.
static bool read_reports(const os::Fd& pipe, std::string& unread, CaptureProgress& progress,
                         std::optional<CaptureResult>& result) {
    const std::string more = os::read_some(pipe.get(), 4096);
    unread += more;
    for (size_t end; (end = unread.find('\n')) != std::string::npos; unread.erase(0, end + 1)) {
        const auto report = report_from_line(std::string_view(unread).substr(0, end));
        if (!report) continue;
        if (const auto now = std::get_if<CaptureProgress>(&*report)) progress = *now;
        if (const auto last = std::get_if<CaptureResult>(&*report)) result = *last;
    }
    return !more.empty();
}

static CaptureResult silence(const std::string& image_path) {
    CaptureResult result;
    result.code = ErrorCode::outcome_unknown;
    result.error = fmt::format("the process that wrote memory image '{}' ended without a word",
                               text::printable(image_path));
    return result;
}

std::optional<CaptureResult> CaptureProcess::poll() {
    State& s = *state_;
    while (!s.result && os::wait_readable(s.report.get(), Deadline::after(std::chrono::milliseconds(0))))
        if (!read_reports(s.report, s.unread, s.progress, s.result) && !s.result)
            s.result = silence(s.image_path);
    if (s.result) os::poll_exit(s.id); // reaps it; if it is not gone yet, init or the next look does
    return s.result;
}

CaptureResult CaptureProcess::wait(const Control& control, uint64_t expected_total, Deadline deadline) {
    State& s = *state_;
    for (;;) {
        const auto result = poll();
        const uint64_t total = expected_total ? expected_total : s.progress.total;
        control.report("memory", std::min(s.progress.done, total), total);
        if (result) {
            os::wait_until_gone(s.id, Deadline::after(std::chrono::seconds(5)));
            os::poll_exit(s.id);
            if (!result->complete) throw Error(result->code, result->error, result->hint);
            return *result;
        }
        if (deadline.passed())
            throw Error(ErrorCode::timed_out,
                        fmt::format("memory image '{}' is not complete yet", text::printable(s.image_path)));
        os::wait_readable(s.report.get(), deadline.or_sooner(std::chrono::milliseconds(500)));
    }
}

} // namespace domsnap::memory
