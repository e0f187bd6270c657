#include "os/keep_holes_out.h"
#include "scratch.h"

#include <cerrno>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/falloc.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace domsnap;

namespace {

/// The exit code of a child that asks for this, behind the filter or not.
int in_a_child(bool guarded, int (*ask)(const char* file), const std::string& file) {
    const pid_t child = ::fork();
    if (child == 0) {
        if (guarded && !os::keep_holes_out()) ::_exit(200);
        ::_exit(ask(file.c_str()));
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

int fallocate_says(const char* file, int mode) {
    const int fd = ::open(file, O_RDWR);
    return ::fallocate(fd, mode, 0, 4096) == 0 ? 0 : errno;
}
int punch(const char* file) { return fallocate_says(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE); }
int extend(const char* file) { return fallocate_says(file, FALLOC_FL_KEEP_SIZE); }

} // namespace

TEST(KeepHolesOut, nothing_is_taken_out_of_a_file_any_more) {
    const Scratch scratch;
    const auto file = scratch / "f";
    os::write_file(file, std::string(8192, 'x'));
    const int without = in_a_child(false, extend, file);
    EXPECT_EQ(in_a_child(true, punch, file), EOPNOTSUPP);
    EXPECT_EQ(in_a_child(true, extend, file), without); // other modes are the file system's business
    EXPECT_EQ(os::read_file(file, 1 << 20), std::string(8192, 'x'));
}
