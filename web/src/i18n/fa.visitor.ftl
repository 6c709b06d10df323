# ---- بازدیدکنندگان گفتگوی سایت ----
visitor-here = اکنون در سایت:
visitor-beside = در سایت، در برگه‌ای دیگر:
visitor-gone = در سایت نیست. گفتگو را { $time } باز کرد:
visitor-block = مسدود کردن…
visitor-blocked = مسدود شد
visitor-is-blocked = مسدود
visitor-unblock = رفع مسدودی
visitor-block-title = این بازدیدکننده مسدود شود؟
visitor-block-text = دیگر نمی‌تواند بنویسد. آنچه نوشته می‌ماند.
visitor-block-address = هر کس از نشانی اینترنتی او بیاید هم، به مدت هفت روز
visitor-block-address-hint = یک اداره یا شبکه همراه شاید یک نشانی مشترک داشته باشد. کاربران واردشده سایت همچنان راه دارند.
visitor-block-yes = مسدود کردن
transcript = رونوشت گفتگو…
transcript-text = آنچه در این گفتگو گفته شد با ایمیل به بازدیدکننده می‌رسد: بدون یادداشت‌ها و بدون نوشته شرکت‌کنندگان پنهان.
transcript-send = فرستادن رونوشت
transcript-sent = رونوشت در راه است
