// Small images and what is written in them, by the real qemu-img and qemu-io.
#pragma once

#include "../os/scratch.h"
#include "base/text.h"
#include "image/qemu_img.h"
#include "os/process.h"

#include <gmock/gmock.h>

namespace domsnap {

inline std::string tool(const std::string& name) {
    const std::string beside = text::folder_of(image::program()) + "/" + name;
    return os::exists(beside) ? beside : name;
}

inline void must(const std::vector<std::string>& argv) {
    const auto result = os::run(argv);
    ASSERT_EQ(result.exit_code, 0) << text::join(argv, " ") << "\n" << result.out << result.err;
}

inline void raw_qemu_img(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), image::program());
    must(arguments);
}

/// Fills length bytes at the offset with the byte, through the whole chain.
inline void fill(const std::string& path, int byte, const std::string& offset = "0",
                 const std::string& length = "64k", const std::string& format = "qcow2") {
    must({tool("qemu-io"), "-f", format, "-c",
          "write -P " + std::to_string(byte) + " " + offset + " " + length, path});
}

/// Whether all of these bytes are the byte, as a guest on this image would see it.
inline bool holds(const std::string& path, int byte, const std::string& offset = "0",
                  const std::string& length = "64k", const std::string& format = "qcow2") {
    const std::string command = "read -P " + std::to_string(byte) + " " + offset + " " + length;
    const auto result = os::run({tool("qemu-io"), "-r", "-f", format, "-c", command, path});
    return result.exit_code == 0 && result.out.find("verification failed") == std::string::npos;
}

/// base.qcow2 <- mid.qcow2 <- top.qcow2 of 4 MiB, each with 64 KiB of its own: 1 at 0, 2 at 64k, 3 at 128k.
class Chain : public ::testing::Test {
  protected:
    void SetUp() override {
        image::create(base, "qcow2", size);
        fill(base, 1);
        image::create_overlay(mid, base, "qcow2", 0);
        fill(mid, 2, "64k");
        image::create_overlay(top, mid, "qcow2", 0);
        fill(top, 3, "128k");
    }
    bool content_is_whole(const std::string& path) const {
        return holds(path, 1) && holds(path, 2, "64k") && holds(path, 3, "128k") && holds(path, 0, "192k");
    }

    static constexpr uint64_t size = 4 << 20;
    Scratch scratch;
    std::string base = scratch / "base.qcow2", mid = scratch / "mid.qcow2", top = scratch / "top.qcow2";
};

} // namespace domsnap
