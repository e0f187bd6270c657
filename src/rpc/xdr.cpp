#include "rpc/xdr.h"

#include <algorithm>

namespace domsnap::rpc {

static size_t padding(size_t size) { return (4 - size % 4) % 4; }

void Writer::u32(uint32_t value) {
    for (const int shift : {24, 16, 8, 0})
        out_.push_back(static_cast<char>(value >> shift & 0xff));
}

void Writer::u64(uint64_t value) {
    u32(static_cast<uint32_t>(value >> 32));
    u32(static_cast<uint32_t>(value));
}

void Writer::raw(std::string_view bytes) { out_.append(bytes).append(padding(bytes.size()), '\0'); }

std::string_view Reader::raw(size_t size) {
    const size_t whole = size + padding(size);
    if (whole < size || rest_.size() < whole) throw Malformed("the message ends in the midst of a value");
    const auto bytes = rest_.substr(0, size);
    rest_.remove_prefix(whole);
    return bytes;
}

uint32_t Reader::u32() {
    uint32_t value = 0;
    for (const unsigned char byte : raw(4))
        value = value << 8 | byte;
    return value;
}

uint64_t Reader::u64() {
    const uint64_t high = u32();
    return high << 32 | u32();
}

uint32_t Reader::length(uint32_t max, size_t least_each) {
    const uint32_t claimed = u32();
    if (claimed > max) throw Malformed("a length is above the protocol's limit");
    if (rest_.size() / least_each < claimed) throw Malformed("a length is above what the message holds");
    return claimed;
}

void put(Writer& w, const std::string& v) {
    if (v.size() > max_string) throw std::length_error("a text is longer than the protocol allows");
    w.u32(static_cast<uint32_t>(v.size()));
    w.raw(v);
}

void get(Reader& r, std::string& v) {
    v = r.raw(r.length(max_string, 1));
    // The other side has C strings, and names with a zero in them would mean two things.
    if (v.find('\0') != v.npos) throw Malformed("a text holds a zero byte");
}

void put(Writer& w, const Uuid& v) { w.raw({reinterpret_cast<const char*>(v.data()), v.size()}); }

void get(Reader& r, Uuid& v) {
    const auto bytes = r.raw(v.size());
    std::copy(bytes.begin(), bytes.end(), v.begin());
}

static void put_wide(Writer& w, std::string_view text) {
    for (const char letter : text)
        w.u32(static_cast<unsigned char>(letter));
}

static void get_wide(Reader& r, std::string& text, uint32_t count) {
    text.clear();
    for (; count > 0; --count)
        text.push_back(static_cast<char>(r.u32()));
}

static constexpr uint32_t max_wide = 4096;

void put(Writer& w, const WideText& v) {
    if (v.text.size() > max_wide) throw std::length_error("a text is longer than the protocol allows");
    w.u32(static_cast<uint32_t>(v.text.size()));
    put_wide(w, v.text);
}
void get(Reader& r, WideText& v) { get_wide(r, v.text, r.length(max_wide, 4)); }

void put(Writer& w, const WideText32& v) {
    std::string text = v.text.substr(0, 31);
    text.resize(32);
    put_wide(w, text);
}
void get(Reader& r, WideText32& v) {
    get_wide(r, v.text, 32);
    v.text.resize(std::min<size_t>(v.text.find('\0'), 32));
}

void put(Writer& w, const Bytes& v) {
    if (v.data.size() > max_string) throw std::length_error("bytes are more than the protocol allows");
    w.u32(static_cast<uint32_t>(v.data.size()));
    w.raw(v.data);
}
void get(Reader& r, Bytes& v) { v.data = r.raw(r.length(max_string, 1)); }

} // namespace domsnap::rpc
