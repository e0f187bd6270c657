// A QEMU for one test: real or fake, with disks in a scratch folder, ended with the test.
#pragma once

#include "os/process.h"
#include "qmp/client.h"
#include "qmp/commands.h"

#include <chrono>
#include <gtest/gtest.h>
#include <ostream>
#include <string>
#include <vector>

namespace domsnap::qmp {

/// Long enough for a busy machine; no test waits for it in vain.
inline Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }

struct Kind {
    std::string name;    ///< as the test's name shows it
    std::string program; ///< empty: not here
    std::string fake_version;
    friend void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }
    bool is_fake() const { return !fake_version.empty(); }
};
/// The real QEMU ($DOMSNAP_QEMU, else on PATH), and the fake as both versions.
std::vector<Kind> all_kinds();
std::vector<Kind> fake_kinds();

class Scratch {
  public:
    Scratch();
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    std::string path(const std::string& name) const { return folder_ + "/" + name; }
    /// New images of 16 MiB; their paths.
    std::string qcow2(const std::string& name);
    std::string raw(const std::string& name);
    std::string overlay(const std::string& name, const std::string& backing_path);

  private:
    std::string folder_;
};

/// Runs a program that must succeed; what it printed.
std::string must_run(const std::vector<std::string>& argv);
/// qemu-io's command ("write -P 1 0 64k") on an image that no QEMU has open.
void write_image(const std::string& image, const std::string& what);
/// True if all of the range has this byte, seen through the image's backing chain.
bool holds(const std::string& image, unsigned byte, const std::string& range);

/// "-blockdev" with the node's name and, after it, more members of the JSON object (`"read-only": true`).
std::vector<std::string> blockdev(const std::string& node, const std::string& path,
                                  const std::string& more = {}, const std::string& driver = "qcow2");
std::vector<std::string> device(const std::string& text);
std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b);

class Guest {
  public:
    Guest(const Kind& kind, const Scratch& scratch, const std::vector<std::string>& arguments,
          const std::string& faults = {});
    ~Guest();
    Guest(const Guest&) = delete;
    Guest& operator=(const Guest&) = delete;

    Client connect(Deadline deadline = soon()) const { return Client::connect(socket_, deadline); }
    const std::string& socket() const { return socket_; }
    const os::ProcessId& process() const { return process_; }
    void set_faults(const std::string& lines) const; ///< of a fake one
    bool ended(Deadline deadline) const { return os::wait_until_gone(process_, deadline); }
    /// What it printed.
    std::string words() const;

  private:
    std::string socket_, log_, faults_;
    os::ProcessId process_;
};

class Contract : public ::testing::TestWithParam<Kind> {
  protected:
    void SetUp() override {
        if (GetParam().program.empty())
            GTEST_SKIP() << "no QEMU: set DOMSNAP_QEMU or install qemu-system-x86";
    }
    Scratch scratch;
};

inline std::string name_of(const ::testing::TestParamInfo<Kind>& info) { return info.param.name; }

/// The block node of that name; one without a name if there is none.
BlockNode node_of(Client& qemu, const std::string& name);

/// The code of the Error that body throws; "nothing" if it throws none.
std::string code_of(const std::function<void()>& body);
std::string message_of(const std::function<void()>& body);

} // namespace domsnap::qmp
