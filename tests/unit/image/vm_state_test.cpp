// The VM state of files that were made by hand, sound and hostile.
#include "../os/scratch.h"
#include "image/vm_state.h"
#include "os/bulk.h"
#include "os/socket.h"
#include "tiny_qcow2.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

using namespace domsnap;
using ::testing::HasSubstr;

namespace {

class VmState : public ::testing::Test {
  protected:
    std::string read(const TinyQcow2& some, const std::string& tag = "s") {
        some.save(path);
        os::remove_file_durably(out);
        image::write_vm_state(path, tag, os::create_exclusive(out).get(), {});
        return os::read_file(out, 8 << 20);
    }
    Error refusal(ErrorCode code, const TinyQcow2& bad, const std::string& tag = "s") {
        return error_of(code, [&] { read(bad, tag); });
    }

    Scratch scratch;
    std::string path = scratch / "disk", out = scratch / "state";
    TinyQcow2 file;
};

/// Of 32 KiB clusters, where a piece is 1 KiB.
TinyQcow2 extended() {
    TinyQcow2 file(15);
    file.put(72, uint64_t{16});
    for (uint64_t i = 0;
         const auto data : {TinyQcow2::first, TinyQcow2::second, TinyQcow2::third, TinyQcow2::fourth}) {
        file.put(file.at(TinyQcow2::l2) + 16 * i, file.at(data));
        file.put(file.at(TinyQcow2::l2) + 16 * i++ + 8, uint64_t{0xffffffff});
    }
    return file;
}

TEST_F(VmState, is_put_together_from_its_clusters) {
    EXPECT_EQ(image::vm_state_size(file.save(path), "s"), file.state_size());
    EXPECT_EQ(read(file), file.state());
    EXPECT_EQ(read(TinyQcow2(9, 2)), file.state());
    const TinyQcow2 large(21);
    EXPECT_TRUE(read(large) == large.state());
    EXPECT_EQ(image::vm_state_size(path, "s"), 3 * (2 << 20) + 100U);
}

TEST_F(VmState, tells_how_far_it_is) {
    const TinyQcow2 large(20);
    std::vector<Progress> seen;
    Control control;
    control.progress = [&](const Progress& progress) { seen.push_back(progress); };
    image::write_vm_state(large.save(path), "s", os::create_exclusive(out).get(), control);
    ASSERT_EQ(seen.size(), 2U); // two MiB at a time
    EXPECT_EQ(seen[0].what, "memory");
    EXPECT_EQ(seen[0].done, 2U << 20);
    EXPECT_EQ(seen[1].done, large.state_size());
    EXPECT_EQ(seen[1].total, large.state_size());
}

TEST_F(VmState, size_and_place_may_be_told_by_an_old_entry_or_a_new_one) {
    file.put(file.at(TinyQcow2::table) + 32, uint32_t{7}); // the large size wins
    EXPECT_EQ(read(file), file.state());
    file.put(24, uint64_t{1} << 30); // the disk has grown since
    EXPECT_EQ(read(file), file.state());

    TinyQcow2 old(9, 2);
    old.put(old.at(TinyQcow2::table) + 32, uint32_t{700});
    old.put(old.at(TinyQcow2::table) + 36, uint32_t{0});
    old.bytes.replace(old.at(TinyQcow2::table) + 40, 2, "1s");
    EXPECT_EQ(read(old), old.state().substr(0, 700));
}

TEST_F(VmState, of_a_disk_only_snapshot_is_empty) {
    file.put(file.at(TinyQcow2::table) + 40, uint64_t{0});
    EXPECT_EQ(image::vm_state_size(file.save(path), "s"), 0U);
    EXPECT_EQ(read(file), "");
}

TEST_F(VmState, goes_on_in_the_next_table_and_ends_with_it) {
    const uint64_t mapped = uint64_t{1} << 15, l1 = file.at(TinyQcow2::l1),
                   size = file.at(TinyQcow2::table) + 40;
    std::string expected = file.state().substr(0, 4 * 512);
    expected.replace(3 * 512, 512, file.part(TinyQcow2::fourth));
    expected.resize(mapped);
    file.put(l1 + 16, uint64_t{1} << 50); // behind the table's end: not to be looked at
    file.put(size, mapped);
    EXPECT_EQ(read(file), expected);
    file.put(file.at(TinyQcow2::table) + 8, uint32_t{3});
    file.put(l1 + 16, file.at(TinyQcow2::third)); // data serves as a table here
    file.put(file.at(TinyQcow2::third), file.at(TinyQcow2::second));
    file.put(size, mapped + 512);
    EXPECT_EQ(read(file).substr(mapped), file.part(TinyQcow2::second));
}

TEST_F(VmState, has_zeros_where_nothing_is_allocated) {
    std::string expected = file.state();
    file.put(file.at(TinyQcow2::l2), uint64_t{0});
    expected.replace(0, 512, 512, '\0');
    EXPECT_EQ(read(file), expected);
    file.put(file.at(TinyQcow2::l2) + 16,
             file.at(TinyQcow2::third) | 1); // a zero cluster that keeps its place
    expected.replace(1024, 512, 512, '\0');
    EXPECT_EQ(read(file), expected);
    file.put(file.at(TinyQcow2::l1) + 8, uint64_t{0});
    EXPECT_EQ(read(file), std::string(file.state_size(), '\0'));
}

TEST_F(VmState, heeds_subclusters) {
    TinyQcow2 some = extended();
    EXPECT_EQ(read(some), some.state());
    std::string expected = some.state();
    some.put(some.at(TinyQcow2::l2) + 8, uint64_t{0xfffffffe}); // the first piece has no place
    expected.replace(0, 1024, 1024, '\0');
    some.put(some.at(TinyQcow2::l2) + 24, 0x80000000'7fffffff); // the last one of the second cluster is zeros
    expected.replace(63 << 10, 1024, 1024, '\0');
    EXPECT_EQ(read(some), expected);
    some.put(some.at(TinyQcow2::l2) + 24, 0x80000000'ffffffff);
    EXPECT_THAT(refusal(ErrorCode::corrupt, some).what(), HasSubstr("subcluster"));
    some.put(some.at(TinyQcow2::l2) + 24, uint64_t{0xffffffff});
    some.put(some.at(TinyQcow2::l2) + 16, uint64_t{0});
    EXPECT_THAT(refusal(ErrorCode::corrupt, some).what(), HasSubstr("of no cluster"));
    TinyQcow2 small;
    small.put(72, uint64_t{16});
    refusal(ErrorCode::corrupt, small);
}

TEST_F(VmState, is_found_by_the_whole_name_alone) {
    file.add_snapshot("sss");
    EXPECT_EQ(read(file, "sss"), file.state());
    EXPECT_EQ(read(file), file.state());
    for (const std::string tag : {"ss", "", "1", "S"}) {
        const Error error = refusal(ErrorCode::not_found, file, tag);
        EXPECT_THAT(error.what(), HasSubstr("'" + tag + "'"));
        EXPECT_THAT(error.what(), HasSubstr(path));
    }
    file.add_snapshot("s");
    EXPECT_THAT(refusal(ErrorCode::conflict, file).hint(), HasSubstr("qemu-img snapshot -d"));
    file.put(60, uint32_t{0});
    refusal(ErrorCode::not_found, file);
}

TEST_F(VmState, is_refused_where_it_cannot_be_read_in_the_clear) {
    TinyQcow2 compressed;
    compressed.put(compressed.at(TinyQcow2::l2) + 8, uint64_t{1} << 62 | compressed.at(TinyQcow2::second));
    EXPECT_THAT(refusal(ErrorCode::unsupported, compressed).what(), HasSubstr("compressed"));
    TinyQcow2 encrypted;
    encrypted.put(32, uint32_t{2});
    EXPECT_THAT(refusal(ErrorCode::unsupported, encrypted).what(), HasSubstr("encrypted"));
    TinyQcow2 outside;
    outside.put(72, uint64_t{4});
    EXPECT_THAT(refusal(ErrorCode::unsupported, outside).what(), HasSubstr("external"));
    TinyQcow2 newer;
    newer.put(72, uint64_t{1} << 40 | 1);
    EXPECT_THAT(refusal(ErrorCode::unsupported, newer).what(), HasSubstr("0x10000000000"));
    newer.put(4, uint32_t{4});
    EXPECT_THAT(refusal(ErrorCode::unsupported, newer).what(), HasSubstr("version 4"));
    TinyQcow2 marked;
    marked.put(72, uint64_t{2});
    EXPECT_THAT(refusal(ErrorCode::corrupt, marked).hint(), HasSubstr("qemu-img check"));
}

TEST_F(VmState, does_not_mind_what_does_not_touch_it) {
    file.put(72, uint64_t{1 | 8}); // reference counts that may be wrong, another compression
    file.put(80, uint64_t{1});     // features that any reader may ignore
    file.put(file.at(TinyQcow2::l2), file.at(TinyQcow2::first) | uint64_t{1} << 63);
    EXPECT_EQ(read(file), file.state());
}

TEST_F(VmState, needs_a_file_that_is_there_and_is_a_qcow2) {
    error_of(ErrorCode::not_found, [&] { image::vm_state_size(scratch / "none", "s"); });
    error_of(ErrorCode::invalid_request, [&] { image::vm_state_size(scratch.path(), "s"); });
    os::write_file(path, std::string(4096, 'x'));
    EXPECT_THAT(error_of(ErrorCode::corrupt, [&] { image::vm_state_size(path, "s"); }).what(),
                HasSubstr("is not a qcow2"));
    ASSERT_EQ(::mkfifo((scratch / "pipe").c_str(), 0600), 0);
    error_of(ErrorCode::corrupt, [&] { image::vm_state_size(scratch / "pipe", "s"); });
}

TEST_F(VmState, is_corrupt_where_numbers_make_no_sense) {
    const auto with = [](uint64_t offset, auto value) {
        TinyQcow2 bad;
        bad.put(offset, value);
        return bad;
    };
    const uint64_t entry = file.at(TinyQcow2::table), l1 = file.at(TinyQcow2::l1) + 8,
                   l2 = file.at(TinyQcow2::l2);
    for (const TinyQcow2& bad : {
             with(20, uint32_t{8}), with(20, uint32_t{22}), with(20, ~uint32_t{0}),         // clusters
             with(60, uint32_t{65'537}), with(64, uint64_t{520}), with(64, ~uint64_t{511}), // table
             with(entry, uint64_t{8}), with(entry, ~uint64_t{511}),                         // L1's place
             with(entry + 8, uint32_t{1}), with(entry + 8, ~uint32_t{0}),                   // its size
             with(entry + 36, ~uint32_t{0}), with(entry + 40, ~uint64_t{0}),                // extra, state
             with(entry + 40, uint64_t{1} << 15 | 1), with(entry + 48, ~uint64_t{0}),       // state, disk
             with(l1, uint64_t{1} << 50), with(l2, uint64_t{1} << 50),                      // beyond the end
         }) {
        const Error error = refusal(ErrorCode::corrupt, bad);
        EXPECT_THAT(error.what(), HasSubstr(path));
    }
    TinyQcow2 unaligned(12);
    unaligned.put(unaligned.at(TinyQcow2::l2), unaligned.at(TinyQcow2::first) + 512);
    refusal(ErrorCode::corrupt, unaligned);
    TinyQcow2 zero_in_version_2(9, 2);
    zero_in_version_2.put(zero_in_version_2.at(TinyQcow2::l2), uint64_t{1});
    refusal(ErrorCode::corrupt, zero_in_version_2);
}

TEST_F(VmState, is_not_searched_for_in_an_endless_table) {
    file.put(60, uint32_t{65'537});
    EXPECT_THAT(refusal(ErrorCode::corrupt, file).what(), HasSubstr("65537 internal snapshots"));
    file.put(60, uint32_t{65'536});
    file.put(file.at(TinyQcow2::table) + 36, uint32_t{64 << 20});
    EXPECT_THAT(refusal(ErrorCode::corrupt, file, "none").what(), HasSubstr("larger than 64 MiB"));
}

TEST_F(VmState, is_corrupt_wherever_the_file_is_cut) {
    file.save(path);
    const os::Fd disk = os::open_read_write(path), nothing = os::open_read_write("/dev/null");
    for (size_t size = file.bytes.size(); size-- > 0;) {
        os::resize_file(disk, size, path);
        const Error error =
            error_of(ErrorCode::corrupt, [&] { image::write_vm_state(path, "s", nothing.get(), {}); });
        ASSERT_THAT(error.what(), HasSubstr(path)) << size;
    }
}

TEST_F(VmState, of_a_file_with_any_bit_flipped_is_read_or_refused) {
    const os::Fd disk = os::create_exclusive(path), nothing = os::open_read_write("/dev/null");
    os::write_at(disk.get(), file.bytes.data(), file.bytes.size(), 0, path);
    size_t refused = 0;
    for (size_t bit = 0; bit < file.at(TinyQcow2::first) * 8; ++bit) {
        const char flipped = static_cast<char>(file.bytes[bit / 8] ^ 1 << bit % 8);
        os::write_at(disk.get(), &flipped, 1, bit / 8, path);
        try {
            image::write_vm_state(path, "s", nothing.get(), {});
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr(path)) << "bit " << bit;
            ++refused;
        }
        os::write_at(disk.get(), &file.bytes[bit / 8], 1, bit / 8, path);
    }
    EXPECT_GT(refused, 300U);
}

TEST_F(VmState, may_be_stopped_and_notices_a_reader_that_went_away) {
    const CancelFlag cancel = true;
    Control control;
    control.cancel = &cancel;
    file.save(path);
    EXPECT_THAT(error_of(ErrorCode::cancelled,
                         [&] { image::write_vm_state(path, "s", os::create_exclusive(out).get(), control); })
                    .what(),
                HasSubstr("'s'"));
    auto [in, closed] = os::make_pipe();
    in.reset();
    error_of(ErrorCode::io, [&] { image::write_vm_state(path, "s", closed.get(), {}); });
}

} // namespace
