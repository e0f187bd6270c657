#include "os/socket.h"
#include "scratch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace domsnap;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

void round_trip(const std::string& path) {
    const os::Fd server = os::bind_unix(path);
    ASSERT_EQ(::listen(server.get(), 1), 0);
    const os::Fd client = os::connect_unix(path);
    EXPECT_EQ(os::peer_pid(client), ::getpid());
    const os::Fd accepted(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
    os::send_with_fd(client, "hello", -1);
    EXPECT_EQ(os::read_some(accepted.get(), 100), "hello");
}

/// A descriptor that came with the data.
os::Fd receive_fd(const os::Fd& socket, std::string& data) {
    char buffer[100];
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    iovec part{buffer, sizeof buffer};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t got = ::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC);
    data.assign(buffer, static_cast<size_t>(std::max<ssize_t>(got, 0)));
    const cmsghdr* const header = CMSG_FIRSTHDR(&message);
    return header ? os::Fd(*reinterpret_cast<const int*>(CMSG_DATA(header))) : os::Fd();
}

} // namespace

TEST(Socket, paths_of_every_length_work) {
    const Scratch scratch;
    const std::string folder = scratch / std::string(200, 'd');
    os::make_folders(folder);
    round_trip(scratch / "s");
    round_trip(folder + "/short");
    round_trip(folder + "/" + std::string(255, 'n'));
    const std::string exact = scratch / std::string(107 - scratch.path().size() - 1, 'e');
    ASSERT_EQ(exact.size(), 107U);
    round_trip(exact);
    round_trip(exact + "f");
    EXPECT_THAT(os::list_folder(folder), ElementsAre(std::string(255, 'n'), "short"));
}

TEST(Socket, is_private) {
    const Scratch scratch;
    const std::string path = scratch / std::string(120, 'n');
    const mode_t before = ::umask(0);
    const os::Fd a = os::bind_unix(scratch / "s"), b = os::bind_unix(path);
    ::umask(before);
    EXPECT_EQ(os::file_info(scratch / "s")->mode, 0600U);
    EXPECT_EQ(os::file_info(path)->mode, 0600U);
    EXPECT_EQ(::fcntl(a.get(), F_GETFD), FD_CLOEXEC);
}

TEST(Socket, an_existing_name_is_not_taken_over) {
    const Scratch scratch;
    const std::string longer = scratch / std::string(120, 'n');
    os::write_file(scratch / "f", "keep");
    os::write_file(longer, "keep");
    EXPECT_THAT(error_of(ErrorCode::conflict, [&] { os::bind_unix(scratch / "f"); }).what(),
                HasSubstr(scratch / "f"));
    error_of(ErrorCode::conflict, [&] { os::bind_unix(longer); });
    EXPECT_EQ(os::read_file(longer, 10), "keep");
    EXPECT_EQ(os::list_folder(scratch.path()).size(), 2U);
    error_of(ErrorCode::not_found, [&] { os::bind_unix(scratch / "no/s"); });
}

TEST(Socket, nobody_listens) {
    const Scratch scratch;
    {
        const os::Fd dead = os::bind_unix(scratch / "s");
    }
    os::write_file(scratch / "f", "");
    const std::string missing = scratch / std::string(120, 'n');
    for (const std::string& path : {scratch / "s", scratch / "f", scratch / "no", missing})
        EXPECT_THAT(error_of(ErrorCode::not_found, [&] { os::connect_unix(path); }).what(), HasSubstr(path));
}

TEST(Socket, a_descriptor_travels_with_the_first_bytes) {
    auto [a, b] = os::make_socket_pair();
    auto [reader, writer] = os::make_pipe();
    os::send_with_fd(a, "take", writer.get());
    std::string data;
    const os::Fd received = receive_fd(b, data);
    EXPECT_EQ(data, "take");
    ASSERT_TRUE(received);
    os::write_all(received.get(), "x", 1, "pipe");
    EXPECT_EQ(os::read_some(reader.get(), 10), "x");
}

TEST(Socket, a_vanished_peer_is_an_error_and_no_signal) {
    auto [a, b] = os::make_socket_pair();
    b.reset();
    error_of(ErrorCode::io, [&] { os::send_with_fd(a, "x", -1); });
}

TEST(Socket, a_peer_that_died_with_our_bytes_unread_is_the_end) {
    auto [a, b] = os::make_socket_pair();
    os::send_with_fd(a, "unread", -1);
    b.reset();
    EXPECT_EQ(os::read_some(a.get(), 10), "");
}

TEST(Socket, waiting_has_an_end) {
    auto [reader, writer] = os::make_pipe();
    EXPECT_FALSE(os::wait_readable(reader.get(), Deadline::after(1ms)));
    os::write_all(writer.get(), "abc", 3, "pipe");
    EXPECT_TRUE(os::wait_readable(reader.get(), Deadline::after(0ms)));
    EXPECT_EQ(os::read_some(reader.get(), 2), "ab");
    EXPECT_EQ(os::read_some(reader.get(), 2), "c");
    writer.reset();
    EXPECT_TRUE(os::wait_readable(reader.get(), Deadline::never()));
    EXPECT_EQ(os::read_some(reader.get(), 2), "");
}

TEST(Socket, pipes_are_as_large_as_wished_where_that_is_allowed) {
    auto [reader, writer] = os::make_pipe(1 << 18);
    EXPECT_GE(::fcntl(writer.get(), F_GETPIPE_SZ), 1 << 16);
    EXPECT_EQ(::fcntl(writer.get(), F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(::fcntl(reader.get(), F_GETFD), FD_CLOEXEC);
}

TEST(Fd, owns_its_descriptor) {
    auto [reader, writer] = os::make_pipe();
    const int number = writer.get();
    os::Fd moved = std::move(writer);
    EXPECT_EQ(moved.get(), number);
    EXPECT_FALSE(writer); // NOLINT(bugprone-use-after-move): what moving leaves is the point
    moved.reset();
    EXPECT_EQ(::fcntl(number, F_GETFD), -1);
    os::Fd& same = reader;
    reader = std::move(same);
    EXPECT_TRUE(reader);
    const os::Fd released(reader.release());
    EXPECT_FALSE(reader);
}
