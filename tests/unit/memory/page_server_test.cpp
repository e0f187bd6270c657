// The page server against a QEMU that is played here: what it sends, in which order, and what it never does.
#include "images.h"
#include "memory/bytes.h"
#include "memory/page_server.h"

#include <gmock/gmock.h>
#include <map>
#include <sys/socket.h>

namespace domsnap::memory {
namespace {

using testing::HasSubstr;

/// Reads what a postcopy source sends, and keeps it as lines.
class Destination {
  public:
    Destination(const ImageReader& image, int fd) : image_(image), fd_(fd) {}

    /// One thing: "command 3", "start ram", "pages pc.ram 0 1 4z", "end", "package …", "over".
    std::string next() {
        const auto type = number<uint8_t>();
        if (type == wire::end_of_stream) return "over";
        if (type == wire::command) return command();
        EXPECT_EQ(number<uint32_t>(), image_.ram_section_id());
        if (type == wire::section_start) {
            EXPECT_EQ(text(4 + 8), std::string("\3ram\0\0\0\0\0\0\0\4", 12));
            return "start" + records();
        }
        EXPECT_TRUE(type == wire::section_part || type == wire::section_end);
        return (type == wire::section_part ? "pages" : "end") + records();
    }
    void skip_header() { EXPECT_EQ(text(image_.stream_header().size()), image_.stream_header()); }
    void answer(wire::Answer answer, const std::string& body) {
        std::string bytes;
        put_big(bytes, static_cast<uint16_t>(answer));
        put_big(bytes, static_cast<uint16_t>(body.size()));
        bytes += body;
        os::write_all(fd_, bytes.data(), bytes.size(), "the return path");
    }
    void raw(const std::string& bytes) { os::write_all(fd_, bytes.data(), bytes.size(), "the return path"); }
    void want(const std::string& block, uint64_t page) {
        std::string body;
        put_big(body, page * page_size);
        put_big(body, static_cast<uint32_t>(page_size));
        answer(wire::request_of_block, body + counted(block));
    }
    std::map<std::string, std::string> received; ///< "pc.ram 0" -> content

  private:
    std::string text(size_t size) {
        std::string bytes(size, '\0');
        for (size_t have = 0; have < size;) {
            const std::string more = os::read_some(fd_, size - have);
            if (more.empty()) throw Error(ErrorCode::io, "the stream ended");
            bytes.replace(have, more.size(), more);
            have += more.size();
        }
        return bytes;
    }
    template <class T>
    T number() {
        return from_big<T>(text(sizeof(T)).data());
    }
    std::string name() { return text(number<uint8_t>()); }
    std::string command() {
        const auto kind = number<uint16_t>();
        const auto data = text(number<uint16_t>());
        if (kind == wire::packaged) return "package " + text(from_big<uint32_t>(data.data()));
        return "command " + std::to_string(kind);
    }
    std::string records() {
        std::string line;
        for (;;) {
            const auto head = number<uint64_t>();
            const uint64_t offset = head / page_size * page_size, flags = head % page_size;
            if (flags == wire::end_of_section) break;
            if (flags == wire::block_list) {
                for (size_t i = 0; i < image_.blocks().size(); ++i, number<uint64_t>())
                    line += " " + name();
                continue;
            }
            if (!(flags & wire::same_block)) line += " " + (block_ = name());
            keep(offset / page_size, flags & wire::zero_page, line);
        }
        EXPECT_EQ(number<uint8_t>(), wire::section_footer);
        EXPECT_EQ(number<uint32_t>(), image_.ram_section_id());
        return line;
    }
    void keep(uint64_t page, bool zero, std::string& line) {
        const std::string key = block_ + " " + std::to_string(page);
        EXPECT_FALSE(received.contains(key)) << key << " came twice";
        received[key] = zero ? text(1) : text(page_size);
        line += " " + std::to_string(page) + (zero ? "z" : "");
    }

    const ImageReader& image_;
    int fd_;
    std::string block_;
};

class PageServerTest : public testing::Test {
  protected:
    Scratch scratch;
    const std::string path = scratch / "image";
    const ImageReader image = image_of(small_stream(), path);
    std::pair<os::Fd, os::Fd> ends = os::make_socket_pair();
    Destination qemu{image, ends.second.get()};
    PageServerHooks hooks;
    std::optional<BlockContent> instead;
    std::string failure;

    /// The server in a thread; the test plays QEMU meanwhile.
    void with_server(bool take_over, const std::function<void()>& play) {
        std::thread thread([&] {
            try {
                PageServer server(image, ends.first, hooks, instead);
                take_over ? server.take_over() : server.begin();
                server.serve();
            } catch (const Error& error) {
                failure = error.what();
            }
            ::shutdown(ends.first.get(), SHUT_RDWR);
        });
        try {
            play();
        } catch (const Error& error) {
            ADD_FAILURE() << error.what();
        }
        thread.join();
    }
    void expect_start() {
        qemu.skip_header();
        for (const auto* line :
             {"command 1", "command 2", "command 3", "start vga.vram pc.ram pc.bios", "command 6"})
            EXPECT_EQ(qemu.next(), line);
    }
    std::string package() {
        StreamText text(image);
        text.command(wire::postcopy_listen);
        text.bytes() += image.device_state();
        text.command(wire::postcopy_run);
        return "package " + text.bytes();
    }
    void expect_end() {
        EXPECT_EQ(qemu.next(), "end");
        EXPECT_EQ(qemu.next(), "over");
        qemu.answer(wire::shut, std::string(4, '\0'));
    }
};

TEST_F(PageServerTest, SendsTheDevicesFirstAndAllPagesOnce) {
    with_server(false, [&] {
        expect_start();
        EXPECT_EQ(qemu.next(), "pages vga.vram 0z 1 pc.bios 0");
        EXPECT_EQ(qemu.next(), package());
        EXPECT_EQ(qemu.next(), "pages pc.ram 0 1");
        EXPECT_EQ(qemu.next(), "pages pc.ram 7");
        expect_end();
    });
    EXPECT_EQ(failure, "");
    EXPECT_EQ(qemu.received.at("pc.ram 1"), page_of(5));
    EXPECT_EQ(qemu.received.at("pc.ram 7"), page_of(6));
    EXPECT_FALSE(os::exists(hot_pages_path(path))) << "nothing was asked for";
}

/// As the NVRAM of a guest with UEFI: every page of it, what the image holds of none.
TEST_F(PageServerTest, SendsABlockFromElsewhereAheadAndWhole) {
    instead = BlockContent{"vga.vram", page_of(40) + page_of(41)};
    ASSERT_EQ(image.blocks()[0].length, instead->bytes.size());
    with_server(false, [&] {
        expect_start();
        EXPECT_EQ(qemu.next(), "pages vga.vram 0 1 pc.bios 0");
        EXPECT_EQ(qemu.next(), package());
        EXPECT_EQ(qemu.next(), "pages pc.ram 0 1");
        EXPECT_EQ(qemu.next(), "pages pc.ram 7");
        expect_end();
    });
    EXPECT_EQ(failure, "");
    EXPECT_EQ(qemu.received.at("vga.vram 0"), page_of(40));
    EXPECT_EQ(qemu.received.at("vga.vram 1"), page_of(41));
}

TEST_F(PageServerTest, RefusesABlockOfAnotherSizeBeforeAnythingIsSent) {
    instead = BlockContent{"vga.vram", page_of(40)};
    with_server(false, [] {});
    EXPECT_THAT(failure, testing::HasSubstr("vga.vram has 8192 bytes"));
    EXPECT_FALSE(os::wait_readable(ends.second.get(), Deadline::after(std::chrono::seconds(0))) &&
                 !os::read_some(ends.second.get(), 1).empty());
}

TEST_F(PageServerTest, AnswersWhatIsAskedForAndRemembersIt) {
    with_server(false, [&] {
        expect_start();
        qemu.want("pc.ram", 7); // before the guest runs: QEMU looks at its rings
        qemu.want("pc.ram", 3);
        qemu.next();
        EXPECT_EQ(qemu.next(), package());
        EXPECT_EQ(qemu.next(), "pages pc.ram 7");
        EXPECT_EQ(qemu.next(), "pages pc.ram 3z");
        EXPECT_EQ(qemu.next(), "pages pc.ram 0 1");
        expect_end();
    });
    EXPECT_EQ(failure, "");
    EXPECT_EQ(read_hot_pages(image), (std::vector<HotPage>{{1, 3}, {1, 7}}));
}

TEST_F(PageServerTest, SendsAheadWhatWasWantedLastTime) {
    write_hot_pages(image, {{1, 7}, {1, 3}});
    with_server(false, [&] {
        expect_start();
        EXPECT_EQ(qemu.next(), "pages vga.vram 0z 1 pc.bios 0 pc.ram 3z 7");
        EXPECT_EQ(qemu.next(), package());
        EXPECT_EQ(qemu.next(), "pages pc.ram 0 1");
        expect_end();
    });
    EXPECT_EQ(failure, "");
}

std::string bitmap_message(const std::string& block, char bits) {
    std::string bytes;
    put_big(bytes, static_cast<uint16_t>(wire::received_bitmap));
    put_big(bytes, static_cast<uint16_t>(1 + block.size()));
    bytes += counted(block);
    put_big(bytes, uint64_t{8});
    bytes += bits + std::string(7, '\0');
    put_big(bytes, uint64_t{0x0123456789abcdef});
    return bytes;
}

TEST_F(PageServerTest, TakesOverWithWhatIsMissing) {
    with_server(true, [&] {
        for (int i = 0; i < 3; ++i)
            EXPECT_EQ(qemu.next(), "command 10");
        qemu.raw(bitmap_message("vga.vram", 3) + bitmap_message("pc.ram", 0x12) +
                 bitmap_message("pc.bios", 1));
        EXPECT_EQ(qemu.next(), "command 9");
        qemu.answer(wire::resume_acknowledged, std::string("\0\0\0\1", 4));
        EXPECT_EQ(qemu.next(), "pages pc.ram 0");
        EXPECT_EQ(qemu.next(), "pages pc.ram 7");
        expect_end();
    });
    EXPECT_EQ(failure, "");
}

TEST_F(PageServerTest, NeverSendsADamagedPage) {
    const os::Fd file = os::open_read_write(path);
    os::write_at(file.get(), "!", 1, page_size + 17, path);
    bool paused = false;
    hooks.pause_guest = [&] { paused = true; };
    with_server(false, [&] {
        expect_start();
        qemu.next();
        EXPECT_EQ(qemu.next(), package());
        EXPECT_EQ(qemu.next(), "pages pc.ram 0") << "the sound one of the two";
        EXPECT_THROW(qemu.next(), Error);
    });
    EXPECT_TRUE(paused);
    EXPECT_THAT(failure, HasSubstr("checksum of page 1"));
    EXPECT_THAT(failure, HasSubstr(path));
    EXPECT_FALSE(qemu.received.contains("pc.ram 1"));
}

TEST_F(PageServerTest, LeavesAGuestThatWaitsForADamagedPage) {
    const os::Fd file = os::open_read_write(path);
    os::write_at(file.get(), "!", 1, page_size + 17, path);
    bool paused = false;
    hooks.pause_guest = [&] { paused = true; };
    with_server(false, [&] {
        expect_start();
        qemu.want("pc.ram", 1);
        qemu.next();
        EXPECT_EQ(qemu.next(), package());
        EXPECT_THROW(qemu.next(), Error);
    });
    EXPECT_FALSE(paused) << "QEMU could not stop a guest that waits for a page";
    EXPECT_THAT(failure, HasSubstr("checksum of page 1"));
}

TEST_F(PageServerTest, SaysThatQemuFailedOrWentAway) {
    with_server(false, [&] {
        expect_start();
        for (int i = 0; i < 4; ++i)
            qemu.next();
        EXPECT_EQ(qemu.next(), "end");
        qemu.answer(wire::shut, std::string("\0\0\0\1", 4));
    });
    EXPECT_THAT(failure, HasSubstr("did not take all"));
}

} // namespace
} // namespace domsnap::memory
