// What a QEMU can do: asked once, remembered, asked again when it is another.
#include "emulator.h"
#include "machine/launch.h"

#include <filesystem>

namespace domsnap::machine::test {
namespace {

class Emulator : public RealQemu {
  protected:
    /// A program that counts its starts and becomes the real QEMU.
    std::string counting(const std::string& comment) {
        const auto path = scratch / "qemu";
        os::write_file(path, fmt::format("#!/bin/sh\n# {}\necho x >> '{}'\nexec '{}' \"$@\"\n", comment,
                                         scratch / "count", qemu));
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
        return path;
    }
    size_t starts() const { return os::read_file(scratch / "count", 1 << 10).size() / 2; }
    EmulatorFacts asked(const std::string& emulator) {
        return emulator_facts(emulator, scratch / "cache", soon());
    }
};

TEST_F(Emulator, IsAskedOnceOfEachBinary) {
    const auto first = asked(counting("first"));
    EXPECT_FALSE(first.capabilities.version.empty());
    EXPECT_TRUE(first.capabilities.has("transaction"));
    EXPECT_TRUE(first.machine_aliases.contains("q35"));
    const auto second = asked(scratch / "qemu");
    EXPECT_EQ(starts(), 1U);
    EXPECT_EQ(second.capabilities.version, first.capabilities.version);
    EXPECT_EQ(second.capabilities.commands, first.capabilities.commands);
    EXPECT_EQ(second.capabilities.migration, first.capabilities.migration);
    EXPECT_EQ(second.machines, first.machines);
    EXPECT_EQ(second.machine_aliases, first.machine_aliases);
    asked(counting("another binary, of another size"));
    EXPECT_EQ(starts(), 2U);
}

TEST_F(Emulator, ADamagedCacheIsAskedAnew) {
    asked(counting("x"));
    const auto names = os::list_folder(scratch / "cache");
    ASSERT_EQ(names.size(), 1U) << "the log of the short-lived QEMU was left behind";
    const auto cache = (scratch / "cache") + "/" + names.front();
    const auto whole = os::read_file(cache, 1 << 20);
    for (const auto& damaged :
         {std::string(), whole.substr(0, whole.size() / 2), std::string("{\"of\":1}")}) {
        os::write_file(cache, damaged);
        EXPECT_TRUE(asked(scratch / "qemu").machine_aliases.contains("pc"));
    }
    EXPECT_EQ(starts(), 4U);
}

TEST_F(Emulator, MachineTypesAreResolvedToTheirVersion) {
    const auto known = asked(qemu);
    EXPECT_TRUE(versioned_machine(known, "q35").starts_with("pc-q35-"));
    EXPECT_TRUE(versioned_machine(known, "pc").starts_with("pc-i440fx-"));
    EXPECT_EQ(versioned_machine(known, "pc-q35-7.2"), "pc-q35-7.2");
    const auto error = error_of(ErrorCode::unsupported, [&] { versioned_machine(known, "pc-q35-99.9"); });
    EXPECT_NE(error.hint().find("pc-q35-7.2"), std::string::npos);
}

TEST_F(Emulator, AProgramThatIsNoQemuSaysSo) {
    error_of(ErrorCode::refused_by_qemu, [&] { emulator_facts("/bin/false", scratch / "cache", soon()); });
    error_of(ErrorCode::not_found, [&] { emulator_facts(scratch / "none", scratch / "cache", soon()); });
}

class FindEmulator : public testing::Test {
  protected:
    void SetUp() override {
        if (const char* before = std::getenv("DOMSNAP_QEMU")) kept_ = before;
    }
    void TearDown() override {
        if (kept_.empty()) ::unsetenv("DOMSNAP_QEMU");
        if (!kept_.empty()) ::setenv("DOMSNAP_QEMU", kept_.c_str(), 1);
    }

  private:
    std::string kept_;
};

TEST_F(FindEmulator, GoesByTheDocumentThenTheEnvironment) {
    ::setenv("DOMSNAP_QEMU", "/bin/true", 1);
    EXPECT_EQ(find_emulator(domain_of(document(""))), "/bin/true");
    EXPECT_EQ(find_emulator(domain_of(document("<emulator>/bin/false</emulator>"))), "/bin/false");
    const auto error = error_of(ErrorCode::not_found, [] {
        find_emulator(domain_of(document("<emulator>/no/such/qemu</emulator>")));
    });
    EXPECT_NE(std::string(error.what()).find("/no/such/qemu"), std::string::npos);
    EXPECT_NE(error.hint().find("qemu-system-x86"), std::string::npos);
}

TEST(LastWords, AreThoseThatSayWhy) {
    EXPECT_EQ(
        words_of_log("2026-11-23T17:32:25.123456Z qemu-system-x86_64: -device x: Device 'x' not found\n"),
        "-device x: Device 'x' not found");
    EXPECT_EQ(words_of_log("2026-11-23T17:32:25.1Z qemu-system-x86_64: warning: TCG doesn't support\n"
                           "char device redirected to /dev/pts/1 (label charserial0)\n"
                           "/opt/qemu: -blockdev {}: Could not open 'a: b': No such file or directory\n\n"),
              "-blockdev {}: Could not open 'a: b': No such file or directory");
    EXPECT_EQ(words_of_log("one\ntwo\nthree\nfour\n"), "two; three; four");
    EXPECT_EQ(words_of_log("qemu: warning: nothing else\n"), "");
    EXPECT_EQ(words_of_log(""), "");
    EXPECT_EQ(words_of_log("a\x1b[31m red\n"), "a\\x1b[31m red");
}

class ExitReason : public testing::Test {
  protected:
    std::string reason_after(const std::string& events) {
        os::write_file(files.events(), events);
        return exit_reason(files);
    }
    static std::string shutdown(const std::string& cause) {
        return "{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"SHUTDOWN\", \"data\": "
               "{\"guest\": true, \"reason\": \"" +
               cause + "\"}}\r\n";
    }
    void SetUp() override { files.folder = scratch.path(); }
    Scratch scratch;
    RuntimeFiles files;
};

TEST_F(ExitReason, IsWhatTheLastShutdownSaid) {
    EXPECT_EQ(exit_reason(files), "unknown");
    EXPECT_EQ(reason_after(""), "unknown");
    EXPECT_EQ(reason_after("{\"return\": {}}\n"), "crashed");
    EXPECT_EQ(reason_after(shutdown("guest-shutdown")), "shutdown");
    EXPECT_EQ(reason_after(shutdown("guest-reset")), "shutdown");
    EXPECT_EQ(reason_after(shutdown("guest-panic")), "crashed");
    EXPECT_EQ(reason_after(shutdown("host-qmp-quit")), "destroyed");
    EXPECT_EQ(reason_after(shutdown("guest-shutdown") + shutdown("host-signal")), "destroyed");
    EXPECT_EQ(reason_after(shutdown("guest-shutdown") + "{\"event\": \"SHUTD"), "shutdown");
    EXPECT_EQ(reason_after(shutdown("guest-shutdown") + "[1]\n{\"event\": 5}\nnot json\n"), "shutdown");
    EXPECT_EQ(reason_after(std::string(1 << 20, 'x') + "\n" + shutdown("guest-panic")), "crashed");
}

} // namespace
} // namespace domsnap::machine::test
