// A folder of its own for one test, removed at the end.
#pragma once

#include "os/file.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace domsnap::test {

class Scratch {
  public:
    Scratch() {
        const char* base = std::getenv("TMPDIR");
        path_ = std::string(base ? base : "/tmp") + "/domsnap-store-XXXXXX";
        if (!::mkdtemp(path_.data())) throw std::runtime_error("mkdtemp " + path_);
    }
    ~Scratch() { os::remove_tree(path_); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

} // namespace domsnap::test
