// Against ourselves; that QEMU sees these locks, and we its, is for tests/system/test_volumes.py.
#include "os/image_lock.h"

#include "scratch.h"

#include <gtest/gtest.h>

namespace domsnap::os {

TEST(ImageLock, readers_share_and_a_writer_is_alone) {
    const Scratch scratch;
    const auto file = scratch / "f";
    write_file(file, "x");
    {
        const auto one = open_read(file), two = open_read(file), writer = open_read_write(file);
        EXPECT_TRUE(lock_image(one, ImageUse::reads, file));
        EXPECT_TRUE(lock_image(two, ImageUse::reads, file));
        EXPECT_FALSE(lock_image(writer, ImageUse::writes, file));
    }
    const auto writer = open_read_write(file), another = open_read_write(file), reader = open_read(file);
    EXPECT_TRUE(lock_image(writer, ImageUse::writes, file));
    EXPECT_FALSE(lock_image(another, ImageUse::writes, file));
    EXPECT_FALSE(lock_image(reader, ImageUse::reads, file));
}

} // namespace domsnap::os
