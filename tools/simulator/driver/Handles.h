// The objects behind one kind of handle: those that are alive, and owned here.

#ifndef DSCC_TOOLS_SIMULATOR_DRIVER_HANDLES_H
#define DSCC_TOOLS_SIMULATOR_DRIVER_HANDLES_H

#include <map>
#include <memory>

namespace dscc::sim {

/// Owns objects, whose addresses are the handles. Not locked: the driver's lock is held.
template <typename T> class Handles {
public:
  /// Whether the handle is alive; any address may be asked for.
  bool has(const T *handle) const { return alive.count(handle); }
  /// Takes the object over; its handle.
  T *add(std::unique_ptr<T> object) {
    T *handle = object.get();
    alive[handle] = std::move(object);
    return handle;
  }
  /// Takes the object out; null if the handle is not alive.
  std::unique_ptr<T> take(const T *handle) {
    auto found = alive.find(handle);
    if (found == alive.end())
      return nullptr;
    std::unique_ptr<T> object = std::move(found->second);
    alive.erase(found);
    return object;
  }
  /// Destroys all objects: no handle is alive then.
  void clear() { alive.clear(); }
  /// For loops over pairs of a handle and its object, in no order that means anything.
  auto begin() const { return alive.begin(); }
  /// Behind the last pair.
  auto end() const { return alive.end(); }

private:
  std::map<const T *, std::unique_ptr<T>> alive;
};

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_DRIVER_HANDLES_H
