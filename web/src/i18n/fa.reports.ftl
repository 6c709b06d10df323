## گزارش‌ها

report-from = از
report-to = تا پایان این روز
report-csv = دریافت CSV
report-everybody = همه

# ---- سرنخ‌ها از کجا می‌آیند ----

sources-sub = چند سرنخ رسید و چه چیزی آن‌ها را آورد.
sources-touch = کدام بازدید شمرده شود
sources-by = شمرده بر پایه
by-source = منبع
by-medium = رسانه
by-campaign = کمپین
by-channel = کانال
sources-leads = سرنخ‌ها
sources-converted = تبدیل‌شده
sources-junk = نامعتبر
sources-none = در این زمان سرنخی نیست
sources-none-text = زمانی بلندتر برگزینید.
sources-unknown = نامعلوم
sources-days = سرنخ‌ها به تفکیک روز
sources-day = { $day }: { $count } سرنخ
sources-total = { $count } سرنخ
sources-left-out = { $count } سرنخ دیگر در ردیف‌های کوچک‌تر

# ---- معامله‌ها تا کجا می‌رسند ----

funnel-sub = معامله‌های ساخته‌شده در یک بازه تا کجا می‌رسند
funnel-filters = کدام معامله‌ها
funnel-none = در این بازه معامله‌ای ساخته نشده است
funnel-none-text = بازه‌ای بلندتر یا مسیر فروش دیگری برگزینید.
funnel-deals = معامله‌ها
funnel-won = برنده
funnel-lost = ازدست‌رفته
funnel-won-after = میانه زمان تا برد
funnel-way = از مرحله‌ای به مرحله دیگر
funnel-bar = { $name }: { $count } معامله، { $share } از همه
funnel-reached = تا اینجا رسیده
funnel-of-all = از همه
funnel-of-previous = از مرحله پیش
funnel-now = اکنون آنجا
funnel-lost-here = ازدست‌رفته از اینجا
funnel-median = میانه ماندن
funnel-mean = میانگین ماندن

# ---- به مشتریان با چه سرعتی پاسخ داده می‌شود ----

responses-sub = به مشتریان با چه سرعتی پاسخ داده می‌شود. زمان با ساعت سنجیده می‌شود، شب‌ها هم به حساب می‌آیند.
responses-filters = کدام نشست‌ها
responses-by = ردیف‌ها
responses-by-operator = اپراتورها
responses-by-line = خط‌ها
responses-by-channel = انواع کانال
responses-none = در این زمان نشستی آغاز نشده است
responses-none-text = زمانی بلندتر برگزینید.
responses-sessions = نشست‌ها
responses-answered = پاسخ‌داده‌شده
responses-unanswered = بسته بدون پاسخ
responses-first = نخستین پاسخ، میانه
responses-p90 = نخستین پاسخ، ۹ از ۱۰ زودتر از
responses-close = تا بسته شدن، میانه
responses-rating = امتیاز
responses-days = میانه نخستین پاسخ به تفکیک روز
responses-day = { $day }: { $time }، { $count } نشست
responses-day-none = { $day }: بدون پاسخ، { $count } نشست
responses-nobody = کسی برنداشت
by-line = خط
by-number = شماره گرفته‌شده
