// The same on real QEMU ($DOMSNAP_QEMU, else qemu-system-x86_64): a bare machine whose RAM was filled with a
// pattern.
#include "images.h"
#include "memory/page_run.h"
#include "os/process.h"
#include "qmp/commands.h"

#include <csignal>
#include <cstdlib>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace domsnap::memory {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t ram = uint64_t{128} << 20, pattern_at = uint64_t{32} << 20, pattern_pages = 4000;

Deadline soon() { return Deadline::after(60s); }

std::string emulator() {
    const char* const named = std::getenv("DOMSNAP_QEMU");
    return os::find_program(named ? named : "qemu-system-x86_64");
}

class Qemu {
  public:
    Qemu(const Scratch& scratch, const std::string& name, const std::vector<std::string>& more)
        : socket_(scratch / (name + ".qmp")) {
        os::Background spec;
        spec.argv = {emulator(),
                     "-machine",
                     "q35,memory-backend=pc.ram",
                     "-accel",
                     "tcg",
                     "-nodefaults",
                     "-display",
                     "none",
                     "-object",
                     "memory-backend-ram,id=pc.ram,size=" + std::to_string(ram),
                     "-device",
                     "VGA",
                     "-qmp",
                     "unix:" + socket_ + ",server=on,wait=off"};
        spec.argv.insert(spec.argv.end(), more.begin(), more.end());
        spec.log_path = scratch / (name + ".log");
        id_ = os::start_background(spec);
        connect(spec.log_path);
    }
    ~Qemu() {
        os::signal_process(id_, SIGKILL);
        os::wait_until_gone(id_, soon());
    }
    qmp::Client& qmp() { return *client_; }

    /// Sends the migration to `write_end` and returns at once.
    void migrate_to(os::Fd write_end) {
        qmp::give_fd(qmp(), "stream", write_end.get(), soon());
        write_end.reset();
        qmp::migrate_to_fd(qmp(), "stream", soon());
    }
    /// Reads an image as an ordinary incoming migration.
    void load(const ImageReader& image) {
        auto [in, out] = os::make_pipe();
        qmp::give_fd(qmp(), "stream", in.get(), soon());
        qmp::migrate_incoming_fd(qmp(), "stream", soon());
        in.reset();
        write_stream(image, out.get(), {});
        out.reset();
        wait_for_status([](const qmp::Status& s) { return s.status != "inmigrate"; });
    }
    void wait_for_status(const std::function<bool(const qmp::Status&)>& wanted) {
        const Deadline deadline = soon();
        while (!wanted(qmp::query_status(qmp(), deadline)))
            if (deadline.passed())
                throw std::runtime_error("QEMU did not get into the state that is waited for");
    }

  private:
    // QEMU makes its socket a moment after it was started.
    void connect(const std::string& log) {
        for (const Deadline deadline = soon(); !client_;)
            try {
                client_.emplace(qmp::Client::connect(socket_, deadline));
            } catch (const Error& e) {
                if (e.code() != ErrorCode::not_found || deadline.passed() || !os::is_alive(id_))
                    throw std::runtime_error(std::string(e.what()) + "\n" + content_of(log));
            }
    }

    std::string socket_;
    os::ProcessId id_;
    std::optional<qmp::Client> client_;
};

class OnQemu : public testing::Test {
  protected:
    void SetUp() override {
        if (emulator().empty()) GTEST_SKIP() << "no QEMU: neither $DOMSNAP_QEMU nor qemu-system-x86_64";
        ::setenv("DOMSNAP_LIBEXEC_DIR", CAPTURE_FOLDER, 1);
        std::string pattern;
        for (uint64_t i = 0; i < pattern_pages; ++i)
            pattern += page_of(static_cast<unsigned>(i + 1));
        os::write_file(scratch / "pattern", pattern);
        source.emplace(
            scratch, "source",
            std::vector<std::string>{"-device", "loader,force-raw=on,addr=" + std::to_string(pattern_at) +
                                                    ",file=" + scratch / "pattern"});
    }
    void TearDown() override { ::unsetenv("DOMSNAP_LIBEXEC_DIR"); }

    ImageReader capture_of(Qemu& qemu, const std::string& name) {
        const std::string path = scratch / name;
        os::create_exclusive(path);
        auto [in, out] = os::make_pipe();
        auto process = CaptureProcess::start(std::move(in), path, some_identity, scratch / (name + ".log"));
        qemu.migrate_to(std::move(out));
        EXPECT_TRUE(process.wait({}, 0, soon()).complete);
        return ImageReader::open(path);
    }

    Scratch scratch;
    std::optional<Qemu> source;
};

/// What the guest sees of a page, whether it was sent as zero, as data or not at all.
std::string seen(const ImageReader& image, size_t block, uint64_t page) {
    std::string bytes(page_size, '\0');
    if (image.state(block, page) == PageState::data) image.read_pages(block, page, 1, bytes.data());
    return bytes;
}

void expect_same_ram(const ImageReader& a, const ImageReader& b) {
    ASSERT_EQ(a.blocks().size(), b.blocks().size());
    for (size_t block = 0; block < a.blocks().size(); ++block) {
        ASSERT_EQ(a.blocks()[block].name, b.blocks()[block].name);
        ASSERT_EQ(a.blocks()[block].length, b.blocks()[block].length);
        for (uint64_t page = 0; page < a.blocks()[block].length / page_size; ++page)
            ASSERT_EQ(seen(a, block, page), seen(b, block, page))
                << a.blocks()[block].name << " page " << page;
    }
}

// From 640 KiB to 1 MiB a physical address is not RAM, or RAM of another place.
std::string without_hole(std::string memory) { return memory.replace(0xa0000, 0x60000, ""); }

TEST_F(OnQemu, AnImageOfAStoppedGuestIsItsMemoryByteForByte) {
    qmp::stop(source->qmp(), soon());
    source->qmp().run("pmemsave", {{"val", 0}, {"size", ram}, {"filename", scratch / "memory"}}, soon());
    const ImageReader image = capture_of(*source, "image");
    EXPECT_EQ(image.identity().ram_size, ram);
    EXPECT_TRUE(without_hole(content_of(scratch / "memory")) ==
                without_hole(content_of(scratch / "image").substr(0, ram)));
    EXPECT_EQ(seen(image, 0, pattern_at / page_size + 17), page_of(18));
}

TEST_F(OnQemu, ABackgroundSnapshotComesBackWithTheSameMemory) {
    try {
        qmp::set_migration_capabilities(source->qmp(), {"background-snapshot"}, soon());
    } catch (const Error& e) {
        GTEST_SKIP() << e.what();
    }
    const ImageReader image = capture_of(*source, "image");
    source->wait_for_status([](const qmp::Status& s) { return s.running; });
    verify_pages(image);

    Qemu paused(scratch, "paused", {"-S", "-incoming", "defer"});
    paused.load(image);
    EXPECT_EQ(qmp::query_status(paused.qmp(), soon()).status, "paused");
    expect_same_ram(image, capture_of(paused, "second"));

    Qemu running(scratch, "running", {"-incoming", "defer"});
    running.load(image);
    running.wait_for_status([](const qmp::Status& s) { return s.running; });
}

} // namespace
} // namespace domsnap::memory
