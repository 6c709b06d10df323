# خط‌ها تا کی نگه می‌دارند

retention = مدت نگه‌داری
retention-hint = آنچه کهنه‌تر باشد خودبه‌خود و برای همیشه حذف می‌شود. خالی: برای همیشه می‌ماند.
retention-ever = برای همیشه
retention-days = روز
retention-attachments = فایل‌ها
retention-attachments-hint = فایل‌ها و اصل ایمیل‌ها، پس از بسته شدن گفتگو
retention-recordings = ضبط‌ها
retention-recordings-hint = ضبط تماس‌ها، پس از تماس
retention-conversations = گفتگوها
retention-conversations-hint = گفتگوها با همه پیام‌ها، پس از بسته شدن
retention-contacts = مخاطبان
retention-contacts-hint = مخاطبانی که از این خط آمده‌اند، اگر این مدت در هیچ خطی چیزی با آن‌ها رخ نداده باشد، پاک می‌شوند. هر کس گفتگو، معامله یا وظیفه بازی دارد می‌ماند.
retention-count = اکنون چه چیزی حذف می‌شد؟
retention-would = اگر اکنون ذخیره شود، این‌ها حذف می‌شوند: { $attachments } فایل، { $recordings } ضبط، { $conversations } گفتگو، { $contacts } مخاطب.

# سیاهه دسترسی
audit-sub = چه کسی چه چیزی را دید، تغییر داد و برون برد. باز کردن کارت ساعتی یک بار ثبت می‌شود؛ ثبت‌ها دو سال می‌مانند.
audit-when = زمان
audit-who = چه کسی
audit-what = چه چیزی
audit-which = کدام‌یک
audit-operation = عملیات
audit-everybody = همه
audit-everything = همه چیز
audit-object = شناسه مورد
audit-empty = چیزی پیدا نشد
audit-gone = دیگر همکار نیست
audit-seen = دیدن
audit-changed = تغییر
audit-exported = برون‌بری
audit-erased = پاک کردن
audit-signed_in = ورود
