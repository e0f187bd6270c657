#include "guest.h"

#include "base/error.h"
#include "image/qemu_img.h"
#include "os/file.h"
#include "os/socket.h"

#include <cstdlib>
#include <fmt/format.h>
#include <sys/socket.h>

namespace domsnap::qmp {

namespace {

constexpr const char* size = "16M";

std::string real_qemu() {
    const char* chosen = std::getenv("DOMSNAP_QEMU");
    const std::string program = os::find_program(chosen ? chosen : "qemu-system-x86_64");
    return program.ends_with("fake-qemu") ? std::string() : program;
}

std::string qemu_io() {
    const std::string beside = image::program();
    return beside.substr(0, beside.rfind("qemu-img")) + "qemu-io";
}

} // namespace

std::vector<Kind> fake_kinds() { return {{"Fake72", FAKE_QEMU, "7.2"}, {"Fake100", FAKE_QEMU, "10.0"}}; }

std::vector<Kind> all_kinds() {
    auto kinds = fake_kinds();
    kinds.insert(kinds.begin(), {"Real", real_qemu(), ""});
    return kinds;
}

Scratch::Scratch() {
    const char* chosen = std::getenv("TMPDIR");
    folder_ = fmt::format("{}/domsnap-qmp-XXXXXX", chosen ? chosen : "/tmp");
    if (!::mkdtemp(folder_.data())) throw Error(ErrorCode::io, "cannot make " + folder_);
}

Scratch::~Scratch() { os::remove_tree(folder_); }

std::string Scratch::qcow2(const std::string& name) {
    must_run({image::program(), "create", "-q", "-f", "qcow2", path(name), size});
    return path(name);
}

std::string Scratch::raw(const std::string& name) {
    must_run({image::program(), "create", "-q", "-f", "raw", path(name), size});
    return path(name);
}

std::string Scratch::overlay(const std::string& name, const std::string& backing_path) {
    must_run(
        {image::program(), "create", "-q", "-f", "qcow2", "-b", backing_path, "-F", "qcow2", path(name)});
    return path(name);
}

std::string must_run(const std::vector<std::string>& argv) {
    const auto result = os::run(argv);
    EXPECT_EQ(result.exit_code, 0) << argv[0] << " " << argv[1] << ": " << result.err;
    return result.out;
}

void write_image(const std::string& image, const std::string& what) {
    must_run({qemu_io(), "-f", "qcow2", "-c", what, image});
}

bool holds(const std::string& image, unsigned byte, const std::string& range) {
    const auto result =
        os::run({qemu_io(), "-r", "-f", "qcow2", "-c", fmt::format("read -P {} {}", byte, range), image});
    return result.exit_code == 0 && result.out.find("verification failed") == std::string::npos;
}

std::vector<std::string> blockdev(const std::string& node, const std::string& path, const std::string& more,
                                  const std::string& driver) {
    return {
        "-blockdev",
        fmt::format(
            R"({{"driver": "{}", "node-name": "{}", "file": {{"driver": "file", "filename": "{}"}}{}{}}})",
            driver, node, path, more.empty() ? "" : ", ", more)};
}

std::vector<std::string> device(const std::string& text) { return {"-device", text}; }

std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

Guest::Guest(const Kind& kind, const Scratch& scratch, const std::vector<std::string>& arguments,
             const std::string& faults) {
    static int count = 0;
    socket_ = scratch.path(fmt::format("monitor{}", ++count));
    log_ = socket_ + ".log";
    faults_ = socket_ + ".faults";
    set_faults(faults);
    const auto door = os::bind_unix(socket_);
    ::listen(door.get(), 1); // here, so that a client may come at once
    constexpr int door_fd = 3;
    os::Background spec;
    spec.argv = std::vector<std::string>{kind.program,
                                         "-machine",
                                         "q35",
                                         "-accel",
                                         "tcg",
                                         "-m",
                                         "64",
                                         "-nodefaults",
                                         "-S",
                                         "-display",
                                         "none",
                                         "-chardev",
                                         fmt::format("socket,id=monitor,fd={},server=on,wait=off", door_fd),
                                         "-mon",
                                         "chardev=monitor,mode=control"} +
                arguments;
    spec.log_path = log_;
    spec.passed = {{door.get(), door_fd}};
    spec.environment = {{"FAKE_QEMU_VERSION", kind.fake_version}, {"FAKE_QEMU_FAULTS", faults_}};
    process_ = os::start_background(spec);
}

Guest::~Guest() {
    os::signal_process(process_, SIGKILL);
    os::wait_until_gone(process_, soon());
    os::poll_exit(process_);
}

void Guest::set_faults(const std::string& lines) const { os::write_file(faults_, lines + "\n"); }
std::string Guest::words() const { return os::read_file(log_, 1 << 20); }

BlockNode node_of(Client& qemu, const std::string& name) {
    for (auto& node : query_named_block_nodes(qemu, soon()))
        if (node.node_name == name) return node;
    return {};
}

std::string code_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const Error& error) {
        return to_string(error.code());
    }
    return "nothing";
}

std::string message_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing";
}

} // namespace domsnap::qmp
