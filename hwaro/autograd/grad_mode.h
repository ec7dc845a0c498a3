// Whether operations are recorded: a flag per thread, and guards that set it for a scope.
#pragma once

namespace hwaro {

// Per-thread switches of the engine; small and constant-initialised, so it costs one load to read.
struct ThreadModes {
  bool grad = true;
  bool inference = false;
  bool anomaly = false;  // anomaly.h
  bool anomaly_nan = true;
};
[[gnu::visibility("default")]] inline thread_local constinit ThreadModes t_modes;

inline bool grad_enabled() { return t_modes.grad; }
inline bool inference_enabled() { return t_modes.inference; }

class GradModeGuard {
 public:
  explicit GradModeGuard(bool enabled) : before_(t_modes.grad) { t_modes.grad = enabled; }
  ~GradModeGuard() { t_modes.grad = before_; }
  GradModeGuard(const GradModeGuard&) = delete;
  GradModeGuard& operator=(const GradModeGuard&) = delete;

 private:
  bool before_;
};

// Nothing inside its scope is recorded: hwaro::NoGradGuard guard;
class NoGradGuard : GradModeGuard {
 public:
  NoGradGuard() : GradModeGuard(false) {}
};
class EnableGradGuard : GradModeGuard {
 public:
  EnableGradGuard() : GradModeGuard(true) {}
};

// Nothing is recorded, and tensors made inside cannot be used in recorded work later (torch.inference_mode).
class InferenceGuard {
 public:
  explicit InferenceGuard(bool enabled = true) : before_(t_modes) {
    t_modes.inference = enabled;
    t_modes.grad = !enabled;
  }
  ~InferenceGuard() { t_modes = before_; }
  InferenceGuard(const InferenceGuard&) = delete;
  InferenceGuard& operator=(const InferenceGuard&) = delete;

 private:
  ThreadModes before_;
};

}  // namespace hwaro
