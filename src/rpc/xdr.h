// XDR (RFC 4506) as libvirt's remote protocol uses it. A struct declares its members once, with DOMSNAP_WIRE,
// and can be written and read. Refuses to allocate by a length that was only claimed: every length is
// bounded, and by what is left.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

/// Inside a struct: its members in the order of the wire.
#define DOMSNAP_WIRE(...)                                                                                    \
    auto wire() { return std::tie(__VA_ARGS__); }                                                            \
    auto wire() const { return std::tie(__VA_ARGS__); }

namespace domsnap::rpc {

/// The peer sent what is no XDR, or too much of it.
struct Malformed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline constexpr uint32_t max_string = 4 << 20; ///< libvirt's limit
using Uuid = std::array<uint8_t, 16>;

/// A vector that neither side lets grow beyond Max.
template <class T, uint32_t Max>
struct List : std::vector<T> {
    using std::vector<T>::vector;
    static constexpr uint32_t max = Max;
};
/// `char NAME<MAX>`: an array of characters, each of which takes four bytes on the wire.
struct WideText {
    std::string text;
};
/// `char NAME[32]`: the same with a fixed length.
struct WideText32 {
    std::string text;
};
/// `opaque NAME<MAX>`.
struct Bytes {
    std::string data;
};

class Writer {
  public:
    void u32(uint32_t value);
    void u64(uint64_t value);
    void raw(std::string_view bytes); ///< padded to four
    std::string take() { return std::move(out_); }

  private:
    std::string out_;
};

class Reader {
  public:
    explicit Reader(std::string_view data) : rest_(data) {}
    uint32_t u32();
    uint64_t u64();
    std::string_view raw(size_t size); ///< and its padding
    /// A length of things that take at least so many bytes each.
    uint32_t length(uint32_t max, size_t least_each);
    bool at_end() const { return rest_.empty(); }

  private:
    std::string_view rest_;
};

template <class T>
concept Record = requires(T t) {
    t.wire();
};

// Writing.
inline void put(Writer& w, int32_t v) { w.u32(static_cast<uint32_t>(v)); }
inline void put(Writer& w, uint32_t v) { w.u32(v); }
inline void put(Writer& w, bool v) { w.u32(v); }
inline void put(Writer& w, int64_t v) { w.u64(static_cast<uint64_t>(v)); }
inline void put(Writer& w, uint64_t v) { w.u64(v); }
inline void put(Writer& w, double v) { w.u64(std::bit_cast<uint64_t>(v)); }
void put(Writer& w, const std::string& v);
void put(Writer& w, const Uuid& v);
void put(Writer& w, const WideText& v);
void put(Writer& w, const WideText32& v);
void put(Writer& w, const Bytes& v);
template <class T>
void put(Writer& w, const std::optional<T>& v);
template <class T, uint32_t Max>
void put(Writer& w, const List<T, Max>& v);
template <class... Ts>
void put(Writer& w, const std::variant<Ts...>& v);
template <Record T>
void put(Writer& w, const T& v) {
    std::apply([&](const auto&... members) { (put(w, members), ...); }, v.wire());
}
template <class T>
void put(Writer& w, const std::optional<T>& v) {
    w.u32(v.has_value());
    if (v) put(w, *v);
}
template <class T, uint32_t Max>
void put(Writer& w, const List<T, Max>& v) {
    if (v.size() > Max) throw std::length_error("a list is longer than the protocol allows");
    w.u32(static_cast<uint32_t>(v.size()));
    for (const auto& one : v)
        put(w, one);
}
/// A union whose cases count from 1, in the variant's order.
template <class... Ts>
void put(Writer& w, const std::variant<Ts...>& v) {
    w.u32(static_cast<uint32_t>(v.index() + 1));
    std::visit([&](const auto& held) { put(w, held); }, v);
}

// Reading.
inline void get(Reader& r, int32_t& v) { v = static_cast<int32_t>(r.u32()); }
inline void get(Reader& r, uint32_t& v) { v = r.u32(); }
inline void get(Reader& r, bool& v) { v = r.u32() != 0; }
inline void get(Reader& r, int64_t& v) { v = static_cast<int64_t>(r.u64()); }
inline void get(Reader& r, uint64_t& v) { v = r.u64(); }
inline void get(Reader& r, double& v) { v = std::bit_cast<double>(r.u64()); }
void get(Reader& r, std::string& v);
void get(Reader& r, Uuid& v);
void get(Reader& r, WideText& v);
void get(Reader& r, WideText32& v);
void get(Reader& r, Bytes& v);
template <class T>
void get(Reader& r, std::optional<T>& v);
template <class T, uint32_t Max>
void get(Reader& r, List<T, Max>& v);
template <class... Ts>
void get(Reader& r, std::variant<Ts...>& v);
template <Record T>
void get(Reader& r, T& v) {
    std::apply([&](auto&... members) { (get(r, members), ...); }, v.wire());
}
template <class T>
void get(Reader& r, std::optional<T>& v) {
    v.reset();
    if (r.u32()) get(r, v.emplace());
}
template <class T, uint32_t Max>
void get(Reader& r, List<T, Max>& v) {
    v.clear();
    for (auto left = r.length(Max, 4); left > 0; --left)
        get(r, v.emplace_back());
}
template <class... Ts>
void get(Reader& r, std::variant<Ts...>& v) {
    const auto wanted = r.u32();
    uint32_t number = 0;
    const auto take = [&]<class T>(T held) {
        if (++number != wanted) return;
        get(r, held);
        v = std::move(held);
    };
    (take(Ts{}), ...);
    if (wanted == 0 || wanted > sizeof...(Ts)) throw Malformed("a union has no such case");
}

template <class T>
std::string encode(const T& value) {
    Writer writer;
    put(writer, value);
    return writer.take();
}

/// All of the data must be used up.
template <class T>
T decode(std::string_view data) {
    Reader reader(data);
    T value{};
    get(reader, value);
    if (!reader.at_end()) throw Malformed("bytes are left over behind the arguments");
    return value;
}

} // namespace domsnap::rpc
