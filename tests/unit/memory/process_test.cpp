#include "images.h"
#include "memory/capture.h"
#include "memory/capture_status.h"
#include "os/file.h"
#include "os/process.h"

#include <csignal>
#include <cstdlib>
#include <gmock/gmock.h>
#include <poll.h>

namespace domsnap::memory {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// A capture process whose stream the test writes piece by piece.
class CaptureProcessTest : public testing::Test {
  protected:
    void SetUp() override {
        ::setenv("DOMSNAP_LIBEXEC_DIR", CAPTURE_FOLDER, 1);
        os::create_exclusive(image);
    }
    void TearDown() override { ::unsetenv("DOMSNAP_LIBEXEC_DIR"); }

    CaptureProcess start() {
        auto [in, out] = os::make_pipe();
        writer = std::move(out);
        return CaptureProcess::start(std::move(in), image, some_identity, scratch / "log", {}, status);
    }
    void send(std::string_view bytes) { os::write_all(writer.get(), bytes.data(), bytes.size(), "the pipe"); }

    Scratch scratch;
    const std::string image = scratch / "image", status = scratch / "status", stream = small_stream();
    os::Fd writer;
};

TEST_F(CaptureProcessTest, WritesTheImageWhileItHoldsTheLock) {
    EXPECT_FALSE(capture_in_progress(image));
    CaptureProcess process = start();
    EXPECT_TRUE(capture_in_progress(image));
    EXPECT_FALSE(wait_for_capture(image, Deadline::after(1ms)));
    EXPECT_FALSE(process.poll());
    send(stream);
    EXPECT_FALSE(process.poll()) << "the stream has not ended";
    EXPECT_TRUE(capture_in_progress(image));
    writer.reset();
    const CaptureResult result = process.wait({}, 0, Deadline::after(20s));
    EXPECT_TRUE(result.complete);
    EXPECT_EQ(result.stream_bytes, stream.size());
    EXPECT_EQ(result.data_pages, 5u);
    EXPECT_FALSE(capture_in_progress(image));
    EXPECT_TRUE(wait_for_capture(image, Deadline::after(0ms)));
    EXPECT_EQ(ImageReader::open(image).identity().domain_uuid, some_identity.domain_uuid);
    EXPECT_FALSE(os::is_alive(process.id()));
}

TEST_F(CaptureProcessTest, IsWaitedForByTheFileAlone) {
    CaptureProcess process = start();
    std::thread later([&] {
        send(stream);
        writer.reset();
    });
    EXPECT_TRUE(wait_for_capture(image, Deadline::after(20s)));
    later.join();
    EXPECT_NO_THROW(ImageReader::open(image));
    process.wait({}, 0, Deadline::after(20s));
}

TEST_F(CaptureProcessTest, TellsEverybodyHowFarItIs) {
    CaptureProcess process = start();
    send(stream);
    const Deadline soon = Deadline::after(20s);
    while (!os::exists(status) && !soon.passed())
        ::poll(nullptr, 0, 5);
    const auto meanwhile = read_capture_status(status);
    ASSERT_TRUE(meanwhile);
    EXPECT_TRUE(meanwhile->goes_on());
    EXPECT_EQ(meanwhile->process, process.id());
    EXPECT_EQ(meanwhile->image, image);
    writer.reset();
    EXPECT_TRUE(wait_for_capture(image, soon));
    const auto after = read_capture_status(status);
    EXPECT_EQ(after->state, CaptureStatus::State::complete);
    EXPECT_GE(after->ended, after->began);
    EXPECT_EQ(after->done, after->total);
    process.wait({}, 0, soon);
}

TEST_F(CaptureProcessTest, TellsEverybodyWhatWentWrong) {
    CaptureProcess process = start();
    send(stream.substr(0, stream.size() / 2));
    writer.reset();
    EXPECT_TRUE(wait_for_capture(image, Deadline::after(20s)));
    const auto after = read_capture_status(status);
    EXPECT_EQ(after->state, CaptureStatus::State::failed);
    EXPECT_FALSE(after->error.empty());
}

CaptureStatus told_of(const std::string& image) {
    CaptureStatus status;
    status.image = image;
    status.snapshot = "s";
    status.error = "full";
    status.untold = true;
    return status;
}

TEST_F(CaptureProcessTest, AStatusOfANewerDomsnapIsRefused) {
    write_capture_status(status, told_of(image));
    const auto told = read_capture_status(status);
    EXPECT_EQ(told->snapshot, "s");
    EXPECT_TRUE(told->untold);
    os::write_file(status, R"({"version": 2})");
    EXPECT_THROW(read_capture_status(status), Error);
    os::write_file(status, "{");
    EXPECT_THROW(read_capture_status(status), Error);
    EXPECT_FALSE(read_capture_status(scratch / "none"));
}

TEST_F(CaptureProcessTest, OutlivesItsStarterAndItsSignals) {
    {
        const CaptureProcess process = start();
        for (const int number : {SIGINT, SIGTERM, SIGHUP})
            EXPECT_TRUE(os::signal_process(process.id(), number));
    }
    send(stream);
    writer.reset();
    EXPECT_TRUE(wait_for_capture(image, Deadline::after(20s)));
    EXPECT_NO_THROW(ImageReader::open(image));
}

TEST_F(CaptureProcessTest, ThatIsKilledLeavesATornImage) {
    CaptureProcess process = start();
    send(std::string_view(stream).substr(0, stream.size() / 2));
    EXPECT_TRUE(os::signal_process(process.id(), SIGKILL));
    const Error e = error_of(ErrorCode::outcome_unknown, [&] { process.wait({}, 0, Deadline::after(20s)); });
    EXPECT_THAT(e.what(), HasSubstr("ended without a word"));
    EXPECT_FALSE(capture_in_progress(image));
    EXPECT_THAT(error_of(ErrorCode::corrupt, [&] { ImageReader::open(image); }).what(), HasSubstr("torn"));
}

TEST_F(CaptureProcessTest, PassesTheCapturesOwnWords) {
    CaptureProcess process = start();
    send("this is no migration stream");
    writer.reset();
    const Error e = error_of(ErrorCode::corrupt, [&] { process.wait({}, 0, Deadline::after(20s)); });
    EXPECT_THAT(e.what(), HasSubstr("does not begin as a migration stream"));
    ASSERT_TRUE(process.poll());
    EXPECT_FALSE(process.poll()->complete);
    EXPECT_THAT(content_of(scratch / "log"), HasSubstr("does not begin as a migration stream"));
}

TEST_F(CaptureProcessTest, TimesOutWithoutEndingTheCapture) {
    CaptureProcess process = start();
    error_of(ErrorCode::timed_out, [&] { process.wait({}, 0, Deadline::after(10ms)); });
    EXPECT_TRUE(os::is_alive(process.id()));
    send(stream);
    writer.reset();
    EXPECT_TRUE(process.wait({}, 0, Deadline::after(20s)).complete);
}

TEST_F(CaptureProcessTest, TellsHowFarItIs) {
    CaptureProcess process = start();
    send(stream);
    writer.reset();
    Progress last;
    Control control;
    control.progress = [&](const Progress& p) { last = p; };
    process.wait(control, 0, Deadline::after(20s));
    EXPECT_EQ(last.what, "memory");
    EXPECT_EQ(last.done, 11 * page_size);
    EXPECT_EQ(last.total, 11 * page_size);
}

TEST_F(CaptureProcessTest, RefusesAnImageThatAnotherCaptureWrites) {
    CaptureProcess first = start();
    os::Fd kept = std::move(writer);
    error_of(ErrorCode::busy, [&] { start(); });
    writer = std::move(kept);
    send(stream);
    writer.reset();
    EXPECT_TRUE(first.wait({}, 0, Deadline::after(20s)).complete);
}

TEST_F(CaptureProcessTest, NamesTheFoldersWhereItsProgramIsNot) {
    // The test program lies in another folder than the capture program, and nowhere near one.
    ::setenv("DOMSNAP_LIBEXEC_DIR", scratch.path().c_str(), 1);
    const Error e = error_of(ErrorCode::not_found, [&] { start(); });
    EXPECT_THAT(e.what(), HasSubstr("domsnap-memory"));
    EXPECT_THAT(e.what(), HasSubstr(scratch.path()));
    EXPECT_THAT(e.hint(), HasSubstr("DOMSNAP_LIBEXEC_DIR"));
}

} // namespace
} // namespace domsnap::memory
