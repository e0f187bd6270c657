// A serial port that lines come from and go to, without ever blocking the ticks.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace guest {

class Port {
  public:
    /// Null if there is no such port. human: line editing and echo, for a console that somebody types at.
    static std::unique_ptr<Port> open(const std::string& device, bool human);
    ~Port();
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;

    int fd() const { return fd_; }
    bool wants_to_write() const { return !out_.empty(); }
    /// What came in as whole lines since the last call. Over-long lines are dropped.
    std::vector<std::string> lines();
    /// Queued, however slow the other end is.
    void say(const std::string& line);
    /// Said only if nothing waits: for what may be lost.
    void mention(const std::string& line);
    void flush();
    /// A shell on this port, which is left alone until the shell ends.
    void lend_to_shell();
    bool lent() const { return shell_ > 0; }
    void child_ended(int pid);

  private:
    Port(int fd, std::string device, bool human) : fd_(fd), device_(std::move(device)), human_(human) {}
    void set_modes();

    int fd_;
    std::string device_;
    bool human_;
    int shell_ = 0;
    std::string in_, out_;
};

} // namespace guest
