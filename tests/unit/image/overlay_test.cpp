// The overlays that we write beside those that qemu-img makes.
#include "images.h"

#include <nlohmann/json.hpp>

using namespace domsnap;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

constexpr uint64_t MiB = 1 << 20, GiB = uint64_t{1} << 30, TiB = uint64_t{1} << 40;

std::string content(const std::string& path) { return os::read_file(path, 64 * MiB); }

nlohmann::json answer(const std::string& verb, const std::string& path) {
    std::vector<std::string> words = {image::program(), verb, "--output=json", "-f", "qcow2"};
    if (verb == "info") words.push_back("-U");
    words.push_back(path);
    const auto result = os::run(words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    auto answer = nlohmann::json::parse(result.out);
    // Ours takes less room: what is zero is not written.
    for (const auto* own : {"filename", "actual-size", "children"})
        answer.erase(own);
    return answer;
}

class Overlay : public ::testing::Test {
  protected:
    /// As qemu-img would make it, which does not look at what lies below then.
    std::string made_by_qemu_img(const std::string& backing, const std::string& format, uint64_t size) {
        const auto path = scratch / "theirs";
        os::remove_file_durably(path);
        raw_qemu_img(
            {"create", "-q", "-u", "-f", "qcow2", "-b", backing, "-F", format, path, std::to_string(size)});
        return path;
    }
    std::string made_by_us(const std::string& backing, const std::string& format, uint64_t size) {
        const auto path = scratch / "ours";
        os::remove_file_durably(path);
        image::create_overlay(path, backing, format, size);
        return path;
    }

    Scratch scratch;
};

} // namespace

TEST_F(Overlay, every_byte_is_what_qemu_img_writes) {
    image::create(scratch / "qcow2", "qcow2", MiB);
    image::create(scratch / "raw", "raw", MiB);
    for (const std::string format : {"qcow2", "raw"})
        for (const uint64_t size : {uint64_t{1}, uint64_t{512}, uint64_t{1000}, 3 * MiB + 5, 512 * MiB,
                                    512 * MiB + 1, GiB, TiB, 8 * TiB, 2048 * TiB}) {
            SCOPED_TRACE(format + " " + std::to_string(size));
            const auto theirs = made_by_qemu_img(scratch / format, format, size);
            const auto ours = made_by_us(scratch / format, format, size);
            EXPECT_TRUE(content(ours) == content(theirs));
            EXPECT_EQ(answer("info", ours), answer("info", theirs));
            // The check of the largest reads the reference counts of two petabytes.
            if (size <= 8 * TiB) {
                EXPECT_EQ(answer("check", ours), answer("check", theirs));
            }
            EXPECT_TRUE(image::holds_nothing(ours));
        }
}

TEST_F(Overlay, one_of_an_empty_disk_is_too) {
    image::create(scratch / "empty", "raw", 0);
    const auto ours = made_by_us(scratch / "empty", "raw", 0);
    EXPECT_TRUE(content(ours) == content(made_by_qemu_img(scratch / "empty", "raw", 0)));
    EXPECT_TRUE(image::check(ours, "qcow2").clean);
}

TEST_F(Overlay, takes_the_size_of_what_lies_below) {
    image::create(scratch / "base", "qcow2", 5 * GiB);
    EXPECT_EQ(image::info(made_by_us(scratch / "base", "qcow2", 0), "qcow2").virtual_size, 5 * GiB);
}

TEST_F(Overlay, a_disk_that_qcow2_cannot_hold_is_refused_as_by_qemu_img) {
    image::create(scratch / "base", "raw", MiB);
    const Error error = error_of(ErrorCode::refused_by_qemu, [&] {
        image::create_overlay(scratch / "ours", scratch / "base", "raw", 2048 * TiB + 1);
    });
    EXPECT_THAT(error.what(), AllOf(HasSubstr(scratch / "ours"), HasSubstr("too large for qcow2")));
    EXPECT_FALSE(os::exists(scratch / "ours"));
}

TEST_F(Overlay, a_name_of_1023_bytes_is_the_longest) {
    std::string folder = scratch.path();
    while (folder.size() < 900)
        folder += "/" + std::string(std::min<size_t>(100, 910 - folder.size()), 'a');
    os::make_folders(folder);
    const std::string longest = folder + "/" + std::string(1023 - folder.size() - 1, 'b');
    image::create(longest, "raw", MiB);
    const auto ours = made_by_us(longest, "raw", 0);
    EXPECT_TRUE(content(ours) == content(made_by_qemu_img(longest, "raw", MiB)));
    EXPECT_EQ(image::info(ours, "qcow2").backing_path, longest);
    os::rename_durably(longest, longest + "b");
    const Error error = error_of(ErrorCode::invalid_request,
                                 [&] { image::create_overlay(scratch / "no", longest + "b", "raw", 0); });
    EXPECT_THAT(error.what(), AllOf(HasSubstr(longest + "b"), HasSubstr("1023"), HasSubstr("1024")));
    EXPECT_FALSE(os::exists(scratch / "no"));
}
