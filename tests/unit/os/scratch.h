// What the tests of the rooms near the operating system share: a folder that goes away, an expected Error.
#pragma once

#include "os/file.h"

#include <cstdlib>
#include <domsnap/error.h>
#include <functional>
#include <gtest/gtest.h>
#include <string>

namespace domsnap {

/// A new folder below $TMPDIR (/tmp), removed at the end of the test.
class Scratch {
  public:
    Scratch() {
        const char* const parent = std::getenv("TMPDIR");
        path_ = std::string(parent ? parent : "/tmp") + "/domsnap-test-XXXXXX";
        if (!::mkdtemp(path_.data())) throw std::runtime_error("mkdtemp failed");
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() {
        try {
            os::remove_tree(path_);
        } catch (const Error& e) {
            ADD_FAILURE() << e.what();
        }
    }
    const std::string& path() const { return path_; }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

/// The Error that the action throws, which must have this code.
inline Error error_of(ErrorCode code, const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& e) {
        EXPECT_STREQ(to_string(e.code()), to_string(code)) << e.what();
        return e;
    }
    ADD_FAILURE() << "expected an Error " << to_string(code) << ", got none";
    return {code, ""};
}

} // namespace domsnap
