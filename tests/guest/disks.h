// The guest's data disks: a counter and a rotating log on each, always written and always read back without a
// cache. Knows nothing of RAM areas and ports. The layout and the rule that RAM and disks obey are in
// README.md.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace guest {

/// What is kept at counter_offset.
struct Counter {
    uint64_t boot = 0, tick = 0;
    bool operator==(const Counter&) const = default;
};

class Disk {
  public:
    static constexpr uint64_t counter_offset = 1 << 20, log_offset = 2 << 20, log_stride = 64 * 1024;
    static constexpr uint64_t log_entries = 64, smallest = 8 << 20;

    /// Opens /dev/NAME; open() tells whether that worked.
    explicit Disk(const std::string& name);
    ~Disk();
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;
    bool open() const { return fd_ >= 0; }

    /// Reads the counter back and compares it with what RAM says was written last, then writes the next one.
    void tick(Counter next);
    /// Log entries that do not hold what RAM says was written there.
    unsigned log_errors();
    /// The counter as the disk has it now; {} if there is none.
    Counter read_counter();

    bool read(uint64_t offset, size_t length, std::string& out);
    bool write(uint64_t offset, const std::string& bytes);
    /// KiB of noise from a seed, and the hash of what is there.
    bool scribble(uint64_t offset, uint64_t kib, uint64_t seed);
    bool hash(uint64_t offset, uint64_t kib, uint64_t& out);

    std::string json();

  private:
    static constexpr size_t block = 4096;
    uint64_t* words() { return reinterpret_cast<uint64_t*>(buffer_.get()); }
    void fill_log_entry(uint64_t number, Counter counter);
    bool transfer(bool writing, uint64_t offset, int flags = 0);
    void check_counter();

    struct Free {
        void operator()(char* p) const;
    };
    std::unique_ptr<char, Free> buffer_; ///< one block, aligned for O_DIRECT
    int fd_ = -1;
    Counter found_;       ///< what was on the disk when it was opened
    Counter written_;     ///< RAM's word for the counter on the disk
    uint64_t writes_ = 0; ///< by this boot
    std::array<uint64_t, log_entries> log_ticks_{};
    unsigned mismatches_ = 0;
    std::string first_mismatch_, error_;
};

class Disks {
  public:
    /// Takes in disks that came and drops those that went.
    void rescan();
    void tick(Counter counter);
    Disk* find(const std::string& name);
    /// {"vda":{...},...}
    std::string json();

  private:
    std::map<std::string, std::unique_ptr<Disk>> disks_;
};

} // namespace guest
